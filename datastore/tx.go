package datastore

import (
	"bytes"
	"errors"
	"iter"
)

// errEnded is what a Tx returns after its View or Update.
var errEnded = errors.New("datastore: the transaction has ended")

// Tx reads one state of the store and, within an Update, changes it. It is valid until its closure returns. In an
// Update it belongs to the closure's goroutine, and its reads see the writes made before them.
//
// A write that cannot be made (to a view, or with a malformed key) is remembered and returned by View or Update.
type Tx struct {
	db    *DB
	group *group // nil in a View

	reader Reader      // nil in an Update until the first read
	blocks BlockReader // the same, when the engine keeps blocks apart

	err      error // the first write that could not be made
	ended    bool
	lazy     bool
	onCommit []func()
	onSynced []func()
}

// Get returns the value of the record k, which the caller may keep; ErrNotFound; or a *CorruptError.
func (tx *Tx) Get(k Key) ([]byte, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	return tx.get(k)
}

// get reads a record, of a caller's key or of one of the store's own.
func (tx *Tx) get(k Key) ([]byte, error) {
	if op := tx.written(recordSpace, k); op != nil {
		if op.Kind != OpSet {
			return nil, ErrNotFound
		}
		return bytes.Clone(unsealed(op.Value)), nil
	}
	if err := tx.open(); err != nil {
		return nil, err
	}
	sealed, err := tx.reader.Get(k)
	if err != nil {
		return nil, err
	}
	return open(k, sealed)
}

// Has tells whether there is a record k. Its checksum is checked too.
func (tx *Tx) Has(k Key) (bool, error) {
	_, err := tx.Get(k)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Block returns the bytes of the block k, which the caller may keep; ErrNotFound; or a *CorruptError.
func (tx *Tx) Block(k Key) ([]byte, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	if tx.db.blocks == nil {
		data, err := tx.get(blockKey(k))
		return data, unblockError(err)
	}
	if op := tx.written(blockSpace, k); op != nil {
		if op.Kind != OpSetBlock {
			return nil, ErrNotFound
		}
		return append([]byte{}, op.Value...), nil
	}
	if err := tx.open(); err != nil {
		return nil, err
	}
	return tx.blocks.Block(k)
}

// Scan yields the records with lo <= key < hi in ascending order, or in descending order when reverse is set. Both
// bounds lie in one group: hi is a key of the group of lo, or its End. Key and Value are valid until the next step.
//
// A corrupt record is yielded as a Record with its Key and a *CorruptError, and the sequence goes on behind it. After
// any other error it ends. In an Update the sequence is that of the writes made before its start.
func (tx *Tx) Scan(lo, hi Key, reverse bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := tx.openRange(lo, hi); err != nil {
			yield(Record{}, err)
			return
		}
		tx.merge(recordSpace, lo, hi, reverse, opened(tx.reader.Scan(lo, hi, reverse)), yield)
	}
}

// Blocks yields the blocks with lo <= key < hi in ascending order, with bounds and errors as Scan has them. It reads
// ahead where that helps.
func (tx *Tx) Blocks(lo, hi Key) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := tx.openRange(lo, hi); err != nil {
			yield(Record{}, err)
			return
		}
		if tx.db.blocks != nil {
			tx.merge(blockSpace, lo, hi, false, named(tx.blocks.Blocks(lo, hi)), yield)
			return
		}
		blo, bhi := blockKey(lo), blockKey(hi)
		tx.merge(recordSpace, blo, bhi, false, opened(tx.reader.Scan(blo, bhi, false)), func(r Record, err error) bool {
			if r.Key != nil {
				r.Key = unblockKey(r.Key)
			}
			return yield(r, unblockError(err))
		})
	}
}

// written returns the op of the group that decides about k, or nil.
func (tx *Tx) written(s keySpace, k Key) *Op {
	if tx.group == nil || tx.ended || len(tx.group.pending.ops) == 0 {
		return nil
	}
	return tx.group.pending.last(s, k)
}

// open makes sure that there is a reader. An Update opens one for its whole group when the first read comes.
func (tx *Tx) open() error {
	if tx.ended {
		return errEnded
	}
	if tx.reader != nil {
		return nil
	}
	r, b, err := tx.db.reader()
	if err != nil {
		return err
	}
	tx.reader, tx.blocks = r, b
	tx.group.reader, tx.group.blocks = r, b
	return nil
}

func (tx *Tx) openRange(lo, hi Key) error {
	if err := checkRange(lo, hi); err != nil {
		return err
	}
	return tx.open()
}

func (tx *Tx) end() { tx.ended = true }
