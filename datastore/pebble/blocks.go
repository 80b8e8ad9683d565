package pebble

import (
	"bytes"
	"errors"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hypernode/hypernode/datastore"
)

// Blocks are read in windows of neighbours: the first one small, for those who want few, then larger.
const (
	firstWindow = 64 << 10 // bytes
	lastWindow  = 1 << 20
	windowCount = 2048
	// maxGap is how many bytes that are not asked for are read to save a read.
	maxGap = 4 << 10
)

// window is a run of blocks that is read at once. Its room is used again by later reads.
type window struct {
	e       *Engine
	entries []windowEntry
	keys    []byte // of the entries, one after the other
	inline  []byte
	buffer  []byte
	size    int
	placed  int // bytes of it that lie in segments
}

// window returns a window for one read.
func (e *Engine) window() *window {
	if w, ok := e.windows.Get().(*window); ok {
		return w
	}
	return &window{e: e}
}

// giveBack ends the use of a window and of what it handed out.
func (w *window) giveBack() { w.e.windows.Put(w) }

type windowEntry struct {
	key     []byte
	rec     blockRecord
	bad     error // the record cannot be read
	missing bool  // its bytes could not be read with the others
	data    []byte
}

// Blocks implements datastore.BlockReader.
func (r *reader) Blocks(lo, hi []byte) iter.Seq2[datastore.Record, error] {
	return func(yield func(datastore.Record, error) bool) {
		it, err := r.iterate(spaceBlock, lo, hi)
		if err != nil {
			yield(datastore.Record{}, scanError(err))
			return
		}
		w := r.e.window()
		defer w.giveBack()
		ok := it.First()
		for limit := firstWindow; ok; limit = min(4*limit, lastWindow) {
			ok = w.fill(it, limit)
			if !w.yield(yield) {
				_ = it.Close() // nothing was read in vain
				return
			}
		}
		if err := errors.Join(it.Error(), it.Close()); err != nil {
			yield(datastore.Record{}, scanError(err))
		}
	}
}

// fill takes entries from it on, and tells whether there are more.
func (w *window) fill(it *pebble.Iterator, limit int) (more bool) {
	w.entries, w.keys, w.inline, w.size, w.placed = w.entries[:0], w.keys[:0], w.inline[:0], 0, 0
	more = true
	for more && w.size < limit && len(w.entries) < windowCount {
		w.add(it)
		more = it.Next()
	}
	w.read()
	return more
}

func (w *window) add(it *pebble.Iterator) {
	from := len(w.keys)
	w.keys = append(w.keys, it.Key()[1:]...)
	en := windowEntry{key: w.keys[from:len(w.keys):len(w.keys)]}
	v, err := it.ValueAndErr()
	if err == nil {
		en.rec, err = parseBlock(v)
	}
	if err != nil {
		en.bad = &datastore.CorruptError{Key: bytes.Clone(en.key), Reason: err}
	}
	if err == nil && en.rec.inline {
		from := len(w.inline)
		w.inline = append(w.inline, en.rec.bytes...)
		en.rec.bytes = w.inline[from:len(w.inline):len(w.inline)]
		en.data = en.rec.bytes
	}
	w.size += len(en.key) + len(en.rec.bytes) + int(en.rec.place.length)
	w.placed += int(en.rec.place.length)
	w.entries = append(w.entries, en)
}

// read fetches the bytes of all entries, neighbours in a segment with one read.
func (w *window) read() {
	if cap(w.buffer) < w.placed {
		w.buffer = make([]byte, w.placed+w.placed/4)
	}
	free := w.buffer[:cap(w.buffer)]
	for i := 0; i < len(w.entries); {
		to := w.run(i, len(free))
		if to == i {
			if e := &w.entries[i]; e.bad == nil && !e.rec.inline {
				e.missing = true
			}
			i++
			continue
		}
		free = w.readRun(w.entries[i:to], free)
		i = to
	}
}

// run returns the end of the run of neighbours that begins at i and fits into room bytes.
func (w *window) run(i, room int) int {
	first := w.entries[i].rec.place
	to := i
	for ; to < len(w.entries); to++ {
		e := &w.entries[to]
		if e.bad != nil || e.rec.inline || e.rec.place.segment != first.segment {
			break
		}
		p := e.rec.place
		if to > i {
			last := w.entries[to-1].rec.place
			if p.offset < last.end() || p.offset-last.end() > maxGap {
				break
			}
		}
		if int(p.end()-first.offset) > room {
			break
		}
	}
	return to
}

func (w *window) readRun(run []windowEntry, free []byte) []byte {
	first := run[0].rec.place
	n := int(run[len(run)-1].rec.place.end() - first.offset)
	err := w.e.handles.readAt(first.segment, free[:n], int64(first.offset))
	for i := range run {
		p := run[i].rec.place
		run[i].missing = err != nil
		run[i].data = free[p.offset-first.offset : p.end()-first.offset]
	}
	return free[n:]
}

// yield hands out the entries. What could not be read with the others is read alone.
func (w *window) yield(yield func(datastore.Record, error) bool) bool {
	for i := range w.entries {
		en := &w.entries[i]
		data, err := en.data, en.bad
		if err == nil && (en.missing || datastore.Checksum(en.key, data) != en.rec.sum) {
			data, err = w.e.fetchBlock(en.key, en.rec)
		}
		if errors.Is(err, datastore.ErrNotFound) {
			continue
		}
		if err != nil {
			if !yield(datastore.Record{Key: en.key}, err) || !errors.Is(err, datastore.ErrCorrupt) {
				return false
			}
			continue
		}
		if !yield(datastore.Record{Key: en.key, Value: data}, nil) {
			return false
		}
	}
	return true
}
