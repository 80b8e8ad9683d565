package drive

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive/blobs"
)

// files is where the entries are in the bee: the key of a path is "files", a zero byte, and the path.
var files = bee.NewPrefix("files")

// Drive is a drive, or a version of one. Its methods may be called from several goroutines.
//
// Paths are taken as Clean takes them. What lies below a mount is looked up in the drive that is mounted there.
type Drive struct {
	s    *shared
	tree *bee.Bee
	view bool // a version of the past
}

// shared is what a drive and its versions have in common.
type shared struct {
	ref    Ref
	store  *corestore.Store // a session of our own
	db     *core.Core
	tree   *bee.Bee
	family *family
	closed atomic.Bool

	blobs    atomic.Pointer[blobs.Blobs] // nil until they are needed
	opening  chan struct{}               // holds a token while the contents are opened
	plain    plainCache
	readable atomic.Bool // the header was read
}

// Create opens a drive to write it, making it when the store does not hold it. Close it when it is not needed any more; its files
// and versions end with it. It fails with core.ErrNotWritable when the drive cannot be written here.
func Create(ctx context.Context, store *corestore.Store, ref Ref) (*Drive, error) {
	d, err := OpenRef(ctx, store, ref)
	if err != nil {
		return nil, err
	}
	if !d.Writable() {
		return nil, errors.Join(fmt.Errorf("drive: %s: %w", d.Key(), core.ErrNotWritable), d.Close())
	}
	return d, nil
}

// Open opens the drive with a key: to read it, or to write it if it was made in this store. Nothing is read; who has nothing of the
// drive yet, and no peers, has an empty drive. Close it when it is not needed any more.
func Open(ctx context.Context, store *corestore.Store, key keys.Key) (*Drive, error) {
	return OpenRef(ctx, store, Key(key))
}

// OpenRef opens the drive that a Ref names.
func OpenRef(ctx context.Context, store *corestore.Store, ref Ref) (*Drive, error) {
	var session *corestore.Store
	var err error
	if ref.named {
		session, err = store.Namespace(ref.name)
	} else {
		session, err = store.Session()
	}
	if err != nil {
		return nil, err
	}
	s, err := openShared(ctx, session, store, ref)
	if err != nil {
		return nil, errors.Join(err, session.Close())
	}
	s.family = newFamily(s)
	return s.drive(), nil
}

// openShared opens the bee of a drive. asked is the caller's session, in whose namespace Own is.
func openShared(ctx context.Context, session, asked *corestore.Store, ref Ref) (*shared, error) {
	s := &shared{ref: ref, store: session, opening: make(chan struct{}, 1)}
	in, r := session, corestore.Name(coreName)
	switch {
	case !ref.key.IsZero():
		r = corestore.Key(ref.key)
	case !ref.named:
		in = asked
	}
	r.ReadOnly, r.MustExist, r.Encryption, r.Parent = ref.ReadOnly, ref.MustExist, s.encryption(), ref.parent
	var err error
	if s.db, err = in.Open(ctx, r); err != nil {
		return nil, fmt.Errorf("drive: opening: %w", err)
	}
	cache := ref.Cache
	if cache == 0 {
		cache = DefaultCache
	}
	s.tree, err = bee.OpenWith(ctx, s.db, bee.Options{Metadata: &bee.Metadata{}, ReadOnly: ref.ReadOnly, Cache: cache})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("drive: opening: %w", err), s.db.Close())
	}
	return s, nil
}

func (s *shared) drive() *Drive { return &Drive{s: s, tree: s.tree} }

func (s *shared) encryption() (e core.Encryption) {
	e.Key = s.ref.Encryption
	return e
}

// close gives everything up.
func (s *shared) close() error {
	if s.closed.Swap(true) {
		return nil
	}
	err := s.tree.Close()
	if b := s.blobs.Load(); b != nil {
		err = errors.Join(err, b.Core().Close())
	}
	return errors.Join(err, s.db.Close(), s.store.Close())
}

// Close closes the drive, its versions, and the drives that were opened through its mounts. A second call does nothing, and closing
// a version neither.
func (d *Drive) Close() error {
	if d.view || d.s.family.first != d.s {
		return nil
	}
	return d.s.family.close()
}

// Key returns the drive's key: who has it may read.
func (d *Drive) Key() keys.Key { return d.s.db.Key() }

// DiscoveryKey returns the key under which peers find the drive.
func (d *Drive) DiscoveryKey() keys.DiscoveryKey { return d.s.db.DiscoveryKey() }

// Core returns the core of the drive's entries, which stays the drive's.
func (d *Drive) Core() *core.Core { return d.s.db }

// Bee returns the bee of the drive's entries, at the version that the drive shows.
func (d *Drive) Bee() *bee.Bee { return d.tree }

// Blobs returns the contents of the drive's files. It fails with ErrEmpty while it is not known in which core they are.
func (d *Drive) Blobs(ctx context.Context) (*blobs.Blobs, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	return d.s.content(ctx)
}

// Writable tells whether the drive can be changed through this value.
func (d *Drive) Writable() bool { return !d.view && d.s.tree.Writable() }

// Encrypted tells that the drive was opened with an encryption key.
func (d *Drive) Encrypted() bool { return d.s.db.Encrypted() }

// Version returns the version that is shown: the length of the core of entries, at least 1.
func (d *Drive) Version() uint64 { return d.tree.Version() }

// At returns the drive as it was at a version, read-only. Only what Version returned at some time is one; between, within an Update,
// nothing can be read. A version that is not reached yet fails when it is used. It needs no closing.
func (d *Drive) At(version uint64) *Drive {
	return &Drive{s: d.s, tree: d.s.tree.At(version), view: true}
}

// Snapshot returns the drive as it is now, read-only.
func (d *Drive) Snapshot() *Drive {
	if d.view {
		return d
	}
	return &Drive{s: d.s, tree: d.tree.Snapshot(), view: true}
}

// Refresh asks peers for the newest version, and returns when it came or there is none. Contents are fetched when they are read.
func (d *Drive) Refresh(ctx context.Context) error {
	if err := d.check(); err != nil {
		return err
	}
	return d.s.db.Update(ctx)
}

func (d *Drive) check() error {
	if d.s.closed.Load() {
		return ErrClosed
	}
	return nil
}

// writable tells why the drive cannot be changed, if so.
func (d *Drive) writable() error {
	switch err := d.check(); {
	case err != nil:
		return err
	case d.view || d.s.ref.ReadOnly:
		return ErrReadOnly
	case !d.s.db.Writable():
		return core.ErrNotWritable
	}
	return nil
}
