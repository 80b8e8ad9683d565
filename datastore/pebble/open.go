package pebble

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable"
)

// Open opens the store in dir, or makes a new one where there is none. The errors to tell apart are
// datastore.ErrLocked, whose message names the process that has the store open; ErrFormat, for a store of another
// version; ErrCorrupt; ErrNoSpace; and, with Options.ReadOnly, fs.ErrNotExist where there is no store.
//
// A store whose journal is damaged opens read-only with what comes before the damage: DB.Err tells of it with an error
// that wraps ErrCorrupt. Nothing of such a store is removed.
func Open(dir string, o Options) (*datastore.DB, error) {
	e, err := OpenEngine(dir, o)
	if err != nil {
		return nil, err
	}
	return datastore.NewDB(e, e.options.Options), nil
}

// OpenEngine opens the engine alone.
func OpenEngine(dir string, o Options) (*Engine, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	path, err := absolute(o.FS, dir)
	if err != nil {
		return nil, fmt.Errorf("opening store %s: %w", dir, err)
	}
	e, err := open(path, o)
	if isNoSpace(err) {
		err = fmt.Errorf("%w: %w", datastore.ErrNoSpace, err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening store %s: %w", dir, err)
	}
	return e, nil
}

// absolute gives each folder one name, by which it is locked.
func absolute(fsys vfs.FS, dir string) (string, error) {
	if dir == "" {
		return "", errors.New("no folder named")
	}
	if vfs.Root(fsys) != vfs.Default {
		return dir, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return abs, nil
	}
	return real, err
}

func open(dir string, o Options) (*Engine, error) {
	if err := checkFolder(o.FS, dir, o.ReadOnly); err != nil {
		return nil, err
	}
	lock, err := lockFolder(o.FS, dir, o.ReadOnly)
	if err != nil {
		return nil, err
	}
	e, err := openLocked(dir, o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	e.lock = lock
	return e, nil
}

func openLocked(dir string, o Options) (*Engine, error) {
	if o.ReadOnly {
		if err := checkFormat(o.FS, dir); err != nil {
			return nil, err
		}
		return openDamaged(dir, o, nil)
	}
	if err := ensure(dir, o); err != nil {
		return nil, err
	}
	list, err := readManifest(o.FS, o.FS.PathJoin(dir, recordsDir))
	if err != nil {
		return nil, err
	}
	if !list.whole { // torn by a power loss, or damaged: Pebble would remove what it reads nothing of
		e, err := openDamaged(dir, o, nil)
		if err != nil || e.health.damage != nil {
			return e, err
		}
		if err := e.Close(); err != nil {
			return nil, err
		}
	}
	e := newEngine(dir, o, o.FS, false)
	err = e.start()
	if err == nil {
		return e, nil
	}
	opened := e.db != nil
	err = errors.Join(err, e.abort())
	if !opened || !errors.Is(err, datastore.ErrCorrupt) {
		return nil, err
	}
	return openDamaged(dir, o, err)
}

// openDamaged opens a store without a write to it: what recovery changes is kept in memory. damage is why a store that
// was to be written is opened so.
func openDamaged(dir string, o Options, damage error) (*Engine, error) {
	e := newEngine(dir, o, durable.NewOverlay(o.FS), true)
	e.health.damage = damage
	err := e.start()
	if err != nil && e.db != nil && errors.Is(err, datastore.ErrCorrupt) {
		e.health.damage, err = err, nil
	}
	if err != nil {
		return nil, errors.Join(err, e.abort())
	}
	return e, nil
}

func newEngine(dir string, o Options, fsys vfs.FS, readOnly bool) *Engine {
	e := &Engine{
		options: o, dir: dir, fs: fsys, readOnly: readOnly,
		health: newHealth(), sealed: map[uint32]segmentInfo{},
		journal: journal{fs: fsys, dir: fsys.PathJoin(dir, journalDir)},
	}
	e.fuse = &fuse{
		FS:          fsys,
		beforeTable: func() error { return e.sync(false) },
		pause:       e.health.pause,
		failed:      func(err error) { _ = e.health.fail(err) },
	}
	e.handles = newHandles(func(n uint32) (vfs.File, error) { return e.fs.Open(e.segmentPath(n)) })
	return e
}

// start opens Pebble, brings it up to date, and loads the engine's own state.
func (e *Engine) start() (err error) {
	if err := e.removeLogs(); err != nil {
		return err
	}
	if !e.readOnly {
		if err := e.syncManifest(); err != nil {
			return fmt.Errorf("syncing the list of records: %w", err)
		}
	}
	if list, err := readManifest(e.fs, e.fs.PathJoin(e.dir, recordsDir)); err != nil {
		return err
	} else if !list.begun() {
		return corrupt("the list of records cannot be read behind its beginning")
	}
	if e.db, err = pebble.Open(e.fs.PathJoin(e.dir, recordsDir), e.records()); err != nil {
		e.db = nil
		return openError(err)
	}
	if err := e.health.err(); err != nil {
		return err
	}
	recovered := e.recover()
	if recovered != nil && !errors.Is(recovered, datastore.ErrCorrupt) {
		return recovered
	}
	return errors.Join(recovered, e.load())
}

// removeLogs removes the logs that Pebble makes though it never writes into one. It would flush before it opens where it
// finds one, and that never ends on a disk that is full or fails.
func (e *Engine) removeLogs() error {
	dir := e.fs.PathJoin(e.dir, recordsDir)
	names, err := e.fs.List(dir)
	if err != nil {
		return fmt.Errorf("listing the records: %w", err)
	}
	for _, name := range names {
		if !isLog(name) {
			continue
		}
		if err := durable.Remove(e.fs, e.fs.PathJoin(dir, name)); err != nil {
			return fmt.Errorf("removing an empty log: %w", err)
		}
	}
	return nil
}

// load reads what the engine keeps in memory of its state.
func (e *Engine) load() error {
	r := recovery{e: e}
	if err := r.loadMeta(); err != nil {
		return err
	}
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceSegment}, UpperBound: []byte{spaceSegment + 1}})
	if err != nil {
		return err
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var n uint32
		var s segmentInfo
		if n, s, err = parseSegment(it.Key(), it.Value()); err == nil {
			e.sealed[n] = s
		}
	}
	if err := errors.Join(err, it.Error(), it.Close()); err != nil {
		return corrupt("reading the segments' records: %w", err)
	}
	if e.readOnly {
		return nil
	}
	if err := e.sweep(); err != nil {
		return err
	}
	return e.secretStore().sweep()
}

// sweep removes segments that no commit knows of: a crash undid the one that began them, or came before the last step
// of their removal.
func (e *Engine) sweep() error {
	dir := e.fs.PathJoin(e.dir, segmentsDir)
	ns, err := numbers(e.fs, dir)
	if err != nil {
		return fmt.Errorf("listing the segments: %w", err)
	}
	for _, n := range ns {
		if _, known := e.sealed[n]; known || n == e.meta.active {
			continue
		}
		if err := durable.Remove(e.fs, e.segmentPath(n)); err != nil {
			return fmt.Errorf("removing a segment: %w", err)
		}
	}
	return nil
}

// abort gives up a half-opened engine.
func (e *Engine) abort() error {
	close(e.health.closing)
	return e.release()
}
