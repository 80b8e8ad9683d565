package bee

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/hypernode/hypernode/core"
)

// Batch is the changes of one Update. It reads what it has written; others do not, until the Update returns. It is for the
// goroutine that runs the Update, and its methods fail with ErrClosed once that ended.
type Batch struct {
	b    *Bee
	t    *tree
	with []core.Appending
	used bool // a change was tried, which gives an empty core its header
	done bool
	err  error // left the tree half changed
}

func (x *Batch) check() error {
	if x.done {
		return ErrClosed
	}
	return x.err
}

// Get returns the entry of a key, or ErrNotFound.
func (x *Batch) Get(key []byte) (Entry, error) {
	if err := x.check(); err != nil {
		return Entry{}, err
	}
	k, ok, err := x.t.find(x.b.whole(key))
	if err != nil {
		return Entry{}, err
	}
	if !ok {
		return Entry{}, ErrNotFound
	}
	return x.entry(k)
}

func (x *Batch) entry(k treeKey) (Entry, error) {
	e, err := x.t.entry(k)
	if err != nil {
		return e, err
	}
	return x.b.part(e), nil
}

// Put sets the value of a key; nil puts the key without a value. Key and value are copied.
func (x *Batch) Put(key, value []byte) error {
	_, err := x.PutIf(key, value, nil)
	return err
}

// PutIf is Put, but when the key exists ok decides, knowing what is there and what would be: false leaves it as it is. It
// tells whether the key was put.
func (x *Batch) PutIf(key, value []byte, ok func(prev, next Entry) bool) (bool, error) {
	if err := x.check(); err != nil {
		return false, err
	}
	x.used = true
	own := newEntry(x.t.next(), x.b.whole(key), value)
	put, err := x.t.put(own.Key, own.Value, func(k treeKey) (bool, error) {
		if no, err := x.refuse(k, own.Value, ok); no || err != nil {
			return no, err
		}
		if !x.t.skipSame {
			return false, nil
		}
		return x.t.same(k, own.Value)
	})
	return put, x.broke(err)
}

// refuse asks the caller about a key that exists.
func (x *Batch) refuse(k treeKey, value []byte, ok func(prev, next Entry) bool) (bool, error) {
	if ok == nil {
		return false, nil
	}
	prev, err := x.entry(k)
	if err != nil {
		return false, err
	}
	return !ok(prev, newEntry(x.t.next(), prev.Key, value)), nil
}

// Delete removes a key. One that is not there is not an error, and writes nothing.
func (x *Batch) Delete(key []byte) error {
	_, err := x.DeleteIf(key, nil)
	return err
}

// DeleteIf is Delete, but ok decides, knowing what is there; next has no value. It tells whether the key was deleted.
func (x *Batch) DeleteIf(key []byte, ok func(prev, next Entry) bool) (bool, error) {
	if err := x.check(); err != nil {
		return false, err
	}
	x.used = true
	whole := bytes.Clone(x.b.whole(key))
	if whole == nil {
		whole = []byte{}
	}
	deleted, err := x.t.remove(whole, func(k treeKey) (bool, error) { return x.refuse(k, nil, ok) })
	return deleted, x.broke(err)
}

// broke remembers an error of a change: the tree may be half changed, so that nothing more can be done with the batch.
func (x *Batch) broke(err error) error {
	if err != nil {
		x.err = fmt.Errorf("bee: an earlier change of the batch failed: %w", err)
	}
	return err
}

// Range yields the entries of a range, and takes in changes that are made while it runs.
func (x *Batch) Range(r Range) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		w := x.b.bounds(&r)
		for n := 0; r.Limit <= 0 || n < r.Limit; n++ {
			e, key, err := x.step(&w, r.Reverse)
			if err == nil && key == nil {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
			if r.Reverse {
				w.hi, w.hiOpen = key, true
			} else {
				w.lo, w.loOpen = key, true
			}
		}
	}
}

// step returns the first entry within bounds, and its whole key, which is nil when there is none.
func (x *Batch) step(w *bounds, reverse bool) (e Entry, key []byte, err error) {
	if err := x.check(); err != nil {
		return e, nil, err
	}
	bound, open := w.lo, w.loOpen
	if reverse {
		bound, open = w.hi, w.hiOpen
	}
	k, ok, err := x.t.beyond(bound, open, reverse)
	if !ok || err != nil {
		return e, nil, err
	}
	if e, err = x.t.entry(k); err != nil || reverse && w.below(e.Key) || !reverse && w.above(e.Key) {
		return e, nil, err
	}
	key = e.Key
	return x.b.part(e), key, nil
}

// Peek returns the first entry of a range, or ErrNotFound.
func (x *Batch) Peek(r Range) (Entry, error) {
	r.Limit = 1
	for e, err := range x.Range(r) {
		return e, err
	}
	return Entry{}, ErrNotFound
}

// With has blocks appended to another core of the same store in the commit of the Update: after a crash both are there, or
// neither. It says at which length of that core; when that has moved the Update fails with core.ErrMoved. The blocks are
// not copied.
func (x *Batch) With(a core.Appending) { x.with = append(x.with, a) }

// Len returns how many blocks the batch will append, its header aside.
func (x *Batch) Len() int { return len(x.t.pending) }
