package pebble

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hypernode/hypernode/datastore"
)

// reader is a view of the records and blocks after some commit. The bytes of a block may go away under it.
type reader struct {
	e      *Engine
	epoch  *epoch
	closed atomic.Bool
}

// Reader implements datastore.Engine.
func (e *Engine) Reader() (datastore.Reader, error) { return e.BlockReader() }

// BlockReader implements datastore.BlockEngine.
func (e *Engine) BlockReader() (datastore.BlockReader, error) {
	if e.isClosed() {
		return nil, datastore.ErrClosed
	}
	return &reader{e: e, epoch: e.epochs.enter()}, nil
}

func (e *Engine) isClosed() bool {
	select {
	case <-e.health.closing:
		return true
	default:
		return false
	}
}

// Close implements datastore.Reader.
func (r *reader) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	return r.e.epochs.leave(r.epoch)
}

// Get implements datastore.Reader.
func (r *reader) Get(key []byte) ([]byte, error) {
	v, err := r.get(spaceRecord, key)
	if err != nil {
		return nil, readError(key, err)
	}
	return v, nil
}

// get returns a copy of what Pebble has under a key.
func (r *reader) get(space byte, key []byte) ([]byte, error) {
	full := inSpace(make([]byte, 0, 48), space, key)
	return read(r.e.db, r.epoch, func(p pebble.Reader) ([]byte, error) {
		v, closer, err := p.Get(full)
		if err != nil {
			return nil, err
		}
		return append(make([]byte, 0, len(v)), v...), closer.Close()
	}, func([]byte) {})
}

// readError words an error of reading one key.
func readError(key []byte, err error) error {
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return datastore.ErrNotFound
	case pebble.IsCorruptionError(err):
		return &datastore.CorruptError{Key: append(datastore.Key(nil), key...), Reason: err}
	}
	return fmt.Errorf("reading: %w", err)
}

// scanError words an error of reading a range.
func scanError(err error) error {
	if pebble.IsCorruptionError(err) {
		return corrupt("reading records: %w", err)
	}
	return fmt.Errorf("reading records: %w", err)
}

// Scan implements datastore.Reader.
func (r *reader) Scan(lo, hi []byte, reverse bool) iter.Seq2[datastore.Record, error] {
	return func(yield func(datastore.Record, error) bool) {
		it, err := r.iterate(spaceRecord, lo, hi)
		if err != nil {
			yield(datastore.Record{}, scanError(err))
			return
		}
		first, next := it.First, it.Next
		if reverse {
			first, next = it.Last, it.Prev
		}
		for ok := first(); ok; ok = next() {
			v, err := it.ValueAndErr()
			if err != nil {
				break
			}
			if !yield(datastore.Record{Key: it.Key()[1:], Value: v}, nil) {
				_ = it.Close() // nothing was read in vain
				return
			}
		}
		if err := it.Error(); err != nil {
			_ = it.Close() // returns the same error
			yield(datastore.Record{}, scanError(err))
			return
		}
		if err := it.Close(); err != nil {
			yield(datastore.Record{}, scanError(err))
		}
	}
}

func (r *reader) iterate(space byte, lo, hi []byte) (*pebble.Iterator, error) {
	o := &pebble.IterOptions{LowerBound: inSpace(nil, space, lo), UpperBound: inSpace(nil, space, hi)}
	return read(r.e.db, r.epoch, func(p pebble.Reader) (*pebble.Iterator, error) { return p.NewIter(o) },
		func(it *pebble.Iterator) { _ = it.Close() }) // nothing was read yet
}

// Block implements datastore.BlockReader.
func (r *reader) Block(key []byte) ([]byte, error) {
	v, err := r.get(spaceBlock, key)
	if err != nil {
		return nil, readError(key, err)
	}
	rec, err := parseBlock(v)
	if err != nil {
		return nil, &datastore.CorruptError{Key: append(datastore.Key(nil), key...), Reason: err}
	}
	return r.e.fetchBlock(key, rec)
}

// fetchBlock returns the bytes of a block, checked. When they are not where they were, the block has been moved or removed
// since: what is there now decides.
func (e *Engine) fetchBlock(key []byte, rec blockRecord) ([]byte, error) {
	for {
		data, reason, err := e.fetch(key, rec)
		if reason == nil || err != nil {
			return data, err
		}
		now, err := e.lookup(key)
		if err != nil {
			return nil, err
		}
		if now.sum != rec.sum || now.inline != rec.inline || now.place.length != rec.place.length {
			return nil, datastore.ErrNotFound // another block by that name
		}
		if now.inline || now.place == rec.place {
			return nil, &datastore.CorruptError{Key: append(datastore.Key(nil), key...), Value: data, Reason: reason}
		}
		rec = now
	}
}

var errChecksum = errors.New("wrong checksum")

// fetch reads the bytes that a record points to. The reason tells why these are not the block's, if so.
func (e *Engine) fetch(key []byte, rec blockRecord) (data []byte, reason, err error) {
	if data = rec.bytes; !rec.inline {
		data = make([]byte, rec.place.length)
		err = e.handles.readAt(rec.place.segment, data, int64(rec.place.offset))
		if gone(err) {
			return nil, err, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("reading a block: %w", err)
		}
	}
	if datastore.Checksum(key, data) != rec.sum {
		return data, errChecksum, nil
	}
	return data, nil, nil
}

// gone tells that the bytes are not there at all.
func gone(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrNotExist)
}

// lookup returns the record of a block as it is now. Its bytes alias nothing.
func (e *Engine) lookup(key []byte) (blockRecord, error) {
	v, closer, err := e.db.Get(inSpace(make([]byte, 0, 48), spaceBlock, key))
	if err != nil {
		return blockRecord{}, readError(key, err)
	}
	rec, err := parseBlock(append([]byte(nil), v...))
	if err := errors.Join(err, closer.Close()); err != nil {
		return blockRecord{}, &datastore.CorruptError{Key: append(datastore.Key(nil), key...), Reason: err}
	}
	return rec, nil
}
