package datastore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
)

// DB is a store. Its methods may be called from several goroutines.
type DB struct {
	engine  Engine
	blocks  BlockEngine // the engine, when it keeps blocks apart
	options Options

	queue queue
	group group // belongs to the leader of the queue
	space space // belongs to the leader of the queue
	syncs syncer
	users users

	claims claims

	mu     sync.Mutex // guards the fields below
	failed error      // why the store is read-only; wraps ErrStoreFailed
	closed chan struct{}
	result error // of Close, once closed is closed
}

// NewDB returns a DB over e, which it closes when it is closed. It is for packages that open an engine.
func NewDB(e Engine, o Options) *DB {
	db := &DB{engine: e, options: o.withDefaults()}
	db.blocks, _ = e.(BlockEngine)
	db.group.db = db
	db.space.init(e, o.Reserve)
	db.users.init()
	db.syncs.init(e.Sync, db.fail, db.options)
	return db
}

// View runs fn on one consistent state: the state after the last commit. It returns the error of fn, ErrReadOnly when
// fn tried to write, or ErrClosed. A view sees nothing of commits that come after its start and blocks none of them.
// The reads of tx may be made from several goroutines until fn returns.
func (db *DB) View(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !db.users.enter() {
		return ErrClosed
	}
	defer db.users.leave()
	r, b, err := db.reader()
	if err != nil {
		return fmt.Errorf("opening a view: %w", err)
	}
	defer r.Close()
	tx := &Tx{db: db, reader: r, blocks: b}
	defer tx.end()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.err
}

// Update runs fn and commits what it wrote, all or nothing. When it returns nil the commit is visible and as durable
// as Options.Durability says. It returns the error of fn, and then nothing was written; ctx.Err() when ctx was done
// before fn's turn came; ErrReadOnly, ErrNoSpace, ErrClosed, or the error of the engine, which wraps ErrStoreFailed
// when the store cannot be written any more.
//
// fn may run in the goroutine of another Update, but never beside another fn. It must not call Update, Sync or Close.
// A panic in fn comes out of the Update that fn was given to.
func (db *DB) Update(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !db.users.enter() {
		return ErrClosed
	}
	defer db.users.leave()
	if err := db.writable(); err != nil {
		return err
	}
	r := &request{ctx: ctx, fn: fn}
	if db.queue.join(r) || db.queue.wait(r) {
		db.lead(r)
	}
	if r.panicked != nil {
		panic(r.panicked)
	}
	return r.err
}

// Sync returns once all commits that are visible now are on stable storage. It joins a sync that is about to start.
func (db *DB) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !db.users.enter() {
		return ErrClosed
	}
	defer db.users.leave()
	if err := db.Err(); err != nil {
		return err
	}
	return db.syncs.wait(ctx)
}

// Close waits for views and updates that are running, syncs, runs the functions given to OnSynced, and gives up the
// engine. It may be called twice; the second call waits for the first and returns the same.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed != nil {
		db.mu.Unlock()
		<-db.closed
		return db.result
	}
	db.closed = make(chan struct{})
	db.mu.Unlock()
	db.users.close()
	err := db.syncs.close(db.Err())
	db.result = errors.Join(err, db.engine.Close())
	close(db.closed)
	return db.result
}

// Err returns nil, or why the store cannot be written any more: an error that wraps ErrStoreFailed and its cause. It
// is nil for a store that was opened read-only and is whole.
func (db *DB) Err() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.failed != nil {
		return db.failed
	}
	if f, ok := db.engine.(Failer); ok {
		if err := f.Err(); err != nil {
			return storeFailed(err)
		}
	}
	return nil
}

// Durability returns the durability that the store was opened with.
func (db *DB) Durability() Durability { return db.options.Durability }

// Secrets returns the place for secrets, or nil when there is none.
func (db *DB) Secrets() Secrets {
	if k, ok := db.engine.(SecretKeeper); ok {
		return k.Secrets()
	}
	return db.options.Secrets
}

// Used returns the bytes that the store takes on its medium, or errors.ErrUnsupported.
func (db *DB) Used() (uint64, error) {
	s, ok := db.engine.(interface{ Used() (uint64, error) })
	if !ok {
		return 0, fmt.Errorf("datastore: disk use: %w", errors.ErrUnsupported)
	}
	if !db.users.enter() {
		return 0, ErrClosed
	}
	defer db.users.leave()
	return s.Used()
}

// Compact gives back the space of records and blocks that were removed with lo <= key < hi, where the engine can.
func (db *DB) Compact(ctx context.Context, lo, hi Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !db.users.enter() {
		return ErrClosed
	}
	defer db.users.leave()
	if err := db.writable(); err != nil {
		return err
	}
	if c, ok := db.engine.(Compacter); ok {
		return c.Compact(lo, hi)
	}
	return nil
}

func (db *DB) reader() (Reader, BlockReader, error) {
	if db.blocks != nil {
		b, err := db.blocks.BlockReader()
		return b, b, err
	}
	r, err := db.engine.Reader()
	return r, nil, err
}

func (db *DB) writable() error {
	if db.options.ReadOnly {
		return ErrReadOnly
	}
	return db.Err()
}

// fail makes the store read-only and returns the error that says so. Only the first failure is kept.
func (db *DB) fail(cause error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.failed == nil {
		db.failed = storeFailed(cause)
		db.options.Logger.Error("store failed, it is read-only until it is opened again", "error", cause)
	}
	return db.failed
}

func storeFailed(cause error) error {
	if errors.Is(cause, ErrStoreFailed) {
		return cause
	}
	return fmt.Errorf("%w: %w", ErrStoreFailed, cause)
}

// commitError sorts an error of Engine.Commit: the engine is as it was, or the store is failed.
func (db *DB) commitError(err error) error {
	switch {
	case errors.Is(err, ErrStoreFailed):
		return db.fail(err)
	case errors.Is(err, ErrNoSpace), errors.Is(err, ErrTooLarge):
		return err
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return db.fail(err)
}
