package datastore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
)

// Atomicity is what the caller of New knows of the batches of a datastore.
type Atomicity uint8

// Atomic declares that a batch is applied whole or not at all, whatever its size and also over a power loss, that
// batches are kept in order, and that what was committed before a Sync is on stable storage after it.
//
// Of the datastores at hand, go-ds-pebble is that with its write options set to pebble.Sync. go-ds-badger4 cuts large
// batches into several transactions and is that only for batches below its limit; use the package datastore/badger.
const Atomic Atomicity = 1

// New returns a store over a caller's datastore, which must be declared Atomic and must not be written by anybody else
// beneath the keys that Key describes. The DB syncs d when it is closed, but does not close it.
//
// Only the basic methods of d are used, with raw keys. A scan asks d for the keys of a whole group, so it costs more
// than with an engine of this project; removing a range reads the keys in it. Views are kept apart from later commits
// by reading what a commit overwrites while there are views, and a view that starts during a commit may wait for it.
// Without Options.Secrets there is no place for secrets.
func New(d ds.Batching, a Atomicity, o Options) (*DB, error) {
	if a != Atomic {
		return nil, ErrNotAtomic
	}
	e := newBatching(d)
	if err := CheckFormat(e, o.ReadOnly); err != nil {
		return nil, err
	}
	return NewDB(e, o), nil
}

// batching is an engine over a go-datastore.
type batching struct {
	d     ds.Batching
	views versions
}

func newBatching(d ds.Batching) *batching {
	e := &batching{d: d}
	e.views.init()
	return e
}

// change is one change of a commit: the last one of its key. A nil value removes.
type change struct {
	key   string
	value []byte
}

// Commit implements Engine.
func (e *batching) Commit(b *Batch, durable bool) error {
	changes, err := e.flatten(b)
	if err != nil {
		return err
	}
	finish, err := e.views.begin(changes, e.get)
	if err != nil {
		return err
	}
	err = e.apply(changes)
	finish(err == nil)
	if err == nil && durable {
		err = e.Sync()
	}
	return err
}

func (e *batching) apply(changes []change) error {
	ctx := context.Background()
	batch, err := e.d.Batch(ctx)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if c.value == nil {
			err = batch.Delete(ctx, ds.RawKey(c.key))
		} else {
			err = batch.Put(ctx, ds.RawKey(c.key), c.value)
		}
		if err != nil {
			return err
		}
	}
	return batch.Commit(ctx)
}

// flatten returns one change for each key, by ascending key: a go-datastore's batch need not keep the order of its
// operations, and knows no ranges. The values are copies.
func (e *batching) flatten(b *Batch) ([]change, error) {
	last := make(map[string][]byte, len(b.Ops))
	for _, op := range b.Ops {
		switch op.Kind {
		case OpSet:
			last[string(op.Key)] = op.Value
		case OpDelete:
			last[string(op.Key)] = nil
		case OpDeleteRange:
			keys, err := e.keys(op.Key, op.End)
			if err != nil {
				return nil, err
			}
			for _, k := range keys {
				last[k] = nil
			}
			for k := range last {
				if string(op.Key) <= k && k < string(op.End) {
					last[k] = nil
				}
			}
		}
	}
	changes := make([]change, 0, len(last))
	for k, v := range last {
		changes = append(changes, change{k, bytes.Clone(v)})
	}
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.key, b.key) })
	return changes, nil
}

// keys returns the keys with lo <= key < hi that are there now, in no order.
func (e *batching) keys(lo, hi []byte) ([]string, error) {
	prefix := Key(lo).prefix()
	if prefix == nil {
		return nil, fmt.Errorf("%w: %q", ErrKey, lo)
	}
	q := query.Query{Prefix: string(prefix[:len(prefix)-1]), KeysOnly: true}
	var keys []string
	for entry, err := range ds.QueryIter(context.Background(), e.d, q) {
		if err != nil {
			return nil, err
		}
		if string(lo) <= entry.Key && entry.Key < string(hi) {
			keys = append(keys, entry.Key)
		}
	}
	return keys, nil
}

// get returns the value as it is now, or nil when there is none.
func (e *batching) get(key string) ([]byte, error) {
	v, err := e.d.Get(context.Background(), ds.RawKey(key))
	if errors.Is(err, ds.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return append([]byte{}, v...), nil
}

// Sync implements Engine.
func (e *batching) Sync() error {
	if err := e.d.Sync(context.Background(), ds.RawKey("/")); err != nil {
		return fmt.Errorf("%w: %w", ErrStoreFailed, err)
	}
	return nil
}

// Close implements Engine.
func (e *batching) Close() error { return nil }

// Used returns the disk use, when the datastore knows it.
func (e *batching) Used() (uint64, error) {
	p, ok := e.d.(ds.PersistentDatastore)
	if !ok {
		return 0, fmt.Errorf("datastore: disk use: %w", errors.ErrUnsupported)
	}
	return p.DiskUsage(context.Background())
}

// Reader implements Engine.
func (e *batching) Reader() (Reader, error) { return &batchingReader{e, e.views.open()}, nil }

type batchingReader struct {
	e       *batching
	version uint64
}

// Get implements Reader. The value is read first and what commits have overwritten after it, in this order: a commit
// puts down what it overwrites before it begins.
func (r *batchingReader) Get(key []byte) ([]byte, error) {
	v, err := r.e.get(string(key))
	if old, ok := r.e.views.overwritten(r.version, string(key)); ok {
		v, err = bytes.Clone(old), nil
	}
	if err == nil && v == nil {
		err = ErrNotFound
	}
	return v, err
}

// Scan implements Reader.
func (r *batchingReader) Scan(lo, hi []byte, reverse bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		keys, err := r.keys(lo, hi)
		if err != nil {
			yield(Record{}, err)
			return
		}
		if reverse {
			slices.Reverse(keys)
		}
		for _, k := range keys {
			v, err := r.Get([]byte(k))
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if !yield(Record{[]byte(k), v}, err) || err != nil {
				return
			}
		}
	}
}

// keys returns the keys of the view with lo <= key < hi in ascending order, and maybe some that are not in it.
func (r *batchingReader) keys(lo, hi []byte) ([]string, error) {
	keys, err := r.e.keys(lo, hi)
	if err != nil {
		return nil, err
	}
	keys = r.e.views.appendOverwritten(keys, r.version, string(lo), string(hi))
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// Close implements Reader.
func (r *batchingReader) Close() error {
	r.e.views.close(r.version)
	return nil
}
