package datastore

import (
	"errors"
	"iter"
)

// merge yields base with the group's writes laid over it.
func (tx *Tx) merge(s keySpace, lo, hi []byte, reverse bool, base iter.Seq2[Record, error], yield func(Record, error) bool) {
	if tx.group == nil || len(tx.group.pending.ops) == 0 {
		base(yield)
		return
	}
	o := tx.group.pending.overlay(s, lo, hi, reverse)
	for r, err := range base {
		if r.Key == nil {
			yield(r, err)
			return
		}
		if !yieldOps(o.before(r.Key), yield) {
			return
		}
		if !o.hides(s, r.Key) && !yield(r, err) {
			return
		}
	}
	yieldOps(o.before(nil), yield)
}

func yieldOps(ops []Op, yield func(Record, error) bool) bool {
	for _, op := range ops {
		r := Record{Key: op.Key, Value: op.Value}
		switch op.Kind {
		case OpSet:
			r.Value = unsealed(op.Value)
		case OpSetBlock:
		default:
			continue
		}
		if !yield(r, nil) {
			return false
		}
	}
	return true
}

// opened checks the records of a scan and takes their checksums off.
func opened(records iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range named(records) {
			if err == nil {
				r.Value, err = open(r.Key, r.Value)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// named adds its key to each corrupt record.
func named(records iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range records {
			if corrupt := corruptIn(err); corrupt != nil {
				r = Record{Key: corrupt.Key}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func unsealed(value []byte) []byte { return value[:len(value)-sealSize] }

// unblockError names the block of which blockKey gave the record.
func unblockError(err error) error {
	if corrupt := corruptIn(err); corrupt != nil {
		return &CorruptError{Key: unblockKey(corrupt.Key), Value: corrupt.Value, Reason: corrupt.Reason}
	}
	return err
}

// corruptIn returns the CorruptError that err is, or nil.
func corruptIn(err error) *CorruptError {
	if err == nil {
		return nil
	}
	var corrupt *CorruptError
	errors.As(err, &corrupt)
	return corrupt
}
