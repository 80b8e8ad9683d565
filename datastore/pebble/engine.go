package pebble

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
)

// Engine is the store below a datastore.DB. It implements datastore.BlockEngine, Spacer, Compacter, SecretKeeper and
// Failer.
type Engine struct {
	options  Options
	dir      string
	fs       vfs.FS // of the store's own files; of an overlay when nothing may be written
	readOnly bool
	lock     io.Closer

	health  *health
	fuse    *fuse
	db      *pebble.DB
	handles *handles
	dirty   dirty
	journal journal
	epochs  epochs
	windows sync.Pool // of *window

	commits sync.Mutex // held by the commit that is running; guards the fields below
	meta    meta
	sealed  map[uint32]segmentInfo // all segments but the active one
	active  *segmentFile           // nil until it is written
	gaps    gaps
	plan    plan
	flushed chan struct{} // closed when the flush that the last journal file waits for is done; nil before the first
	closed  bool

	space      space
	tombs      tombs
	background sync.WaitGroup

	closing sync.Once
	result  error // of Close
}

var (
	_ datastore.BlockEngine  = (*Engine)(nil)
	_ datastore.Spacer       = (*Engine)(nil)
	_ datastore.Compacter    = (*Engine)(nil)
	_ datastore.SecretKeeper = (*Engine)(nil)
	_ datastore.Failer       = (*Engine)(nil)
)

// Err returns why the store takes no commits any more, or nil: an error that wraps ErrStoreFailed after a failure of
// the disk, or ErrCorrupt when the store was damaged as it was opened.
func (e *Engine) Err() error {
	if e.health.damage != nil {
		return e.health.damage
	}
	return e.health.err()
}

// writable tells why nothing can be committed, or nil.
func (e *Engine) writable() error {
	switch {
	case e.closed:
		return datastore.ErrClosed
	case e.health.damage != nil:
		return fmt.Errorf("%w: %w", datastore.ErrStoreFailed, e.health.damage)
	case e.readOnly:
		return datastore.ErrReadOnly
	}
	return e.health.err()
}

// Sync implements datastore.Engine. It runs beside commits.
func (e *Engine) Sync() error {
	if err := e.health.err(); err != nil {
		return err
	}
	return e.sync(true)
}

func (e *Engine) sync(journals bool) error {
	if err := e.dirty.sync(e.fs, e.fs.PathJoin(e.dir, segmentsDir), journals); err != nil {
		err = fmt.Errorf("syncing: %w", err)
		e.fuse.blow(err) // what is not in the journal must not get into the tables
		return e.health.fail(err)
	}
	return nil
}

// Close implements datastore.Engine: it syncs, flushes Pebble, and lets go of the folder. When Pebble cannot be flushed
// the journal keeps what it lacks.
func (e *Engine) Close() error {
	e.closing.Do(func() { e.result = e.close() })
	return e.result
}

func (e *Engine) close() error {
	e.commits.Lock()
	e.closed = true
	e.commits.Unlock()
	close(e.health.closing)
	e.background.Wait()
	var errs []error
	if e.Err() == nil && !e.readOnly {
		errs = append(errs, e.settle())
	}
	errs = append(errs, e.release())
	return errors.Join(errs...)
}

// settle leaves a store that opens without work.
func (e *Engine) settle() error {
	if err := e.sync(true); err != nil {
		return err
	}
	if err := e.reclaim(e.space.take(0)); err != nil && e.health.err() != nil {
		return err
	}
	if e.journal.current.last < e.journal.current.base && len(e.journal.retired) == 0 {
		return nil // nothing was committed
	}
	if err := e.flush(); err != nil {
		e.options.Logger.Warn("closing without a flush, the journal stays", "error", err)
		return e.health.err()
	}
	e.compactTombs()
	if err := e.beginJournal(); err != nil {
		return e.health.err()
	}
	return e.dropJournals(e.meta.seq)
}

// release closes everything without writing.
func (e *Engine) release() error {
	var errs []error
	close(e.health.ending)
	if e.db != nil {
		if err := e.db.Close(); err != nil && e.Err() == nil {
			errs = append(errs, fmt.Errorf("closing the records: %w", err))
		}
		e.db = nil
	}
	if e.handles != nil {
		e.handles.close()
	}
	for f, sealed := range e.dirty.take(true).segments {
		if sealed {
			errs = append(errs, f.file.Close())
		}
	}
	if e.active != nil {
		errs = append(errs, e.active.file.Close())
	}
	for _, f := range append(e.journal.retired, e.journal.current) {
		if f != nil {
			errs = append(errs, f.file.Close())
		}
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}
