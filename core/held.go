package core

import (
	"bytes"
	"context"
	"errors"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/bitfield"
)

// held knows which blocks are stored beyond the contiguous ones. The bitmap is read when it is needed first.
type held struct {
	bits    bitfield.Bitfield
	loaded  bool
	version uint64 // counts the changes
}

// apply takes over what a commit changed.
func (h *held) apply(dropped, have []Range) {
	h.version++
	if !h.loaded {
		return
	}
	for _, r := range dropped {
		h.bits.SetRange(r.Start, r.End, false)
	}
	for _, r := range have {
		h.bits.SetRange(r.Start, r.End, true)
	}
}

// withBits calls fn with the bitmap under mu, having read it if needed. fn must not use the store.
func (l *log) withBits(ctx context.Context, fn func(b *bitfield.Bitfield)) error {
	for {
		l.mu.Lock()
		if !l.held.loaded {
			if st := l.current.Load(); st.contiguous == st.length {
				l.held.bits, l.held.loaded = bitfield.Bitfield{}, true
			}
		}
		if l.held.loaded {
			fn(&l.held.bits)
			l.mu.Unlock()
			return nil
		}
		version := l.held.version
		l.mu.Unlock()
		if err := l.loadBits(ctx, version); err != nil {
			return err
		}
	}
}

// loadBits reads the bitmap and installs it, unless the log has changed since.
func (l *log) loadBits(ctx context.Context, version uint64) error {
	var b bitfield.Bitfield
	err := l.db.View(ctx, func(tx *datastore.Tx) error { return readBits(tx, l.id, &b) })
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held.loaded && l.held.version == version {
		l.held.bits, l.held.loaded = b, true
	}
	return nil
}

// readBits reads all pages of a core's bitmap. A corrupt page is made anew from the blocks that are there.
func readBits(tx *datastore.Tx, core uint64, b *bitfield.Bitfield) error {
	lo := dataKey(core).Kind(itemBitmap)
	for rec, err := range tx.Scan(lo, lo.End(), false) {
		key := datastore.Key(rec.Key)
		var corrupt *datastore.CorruptError
		if errors.As(err, &corrupt) {
			key = corrupt.Key
		} else if err != nil {
			return err
		}
		page, _, ok := datastore.ParseUint(bytes.TrimPrefix(key, lo))
		if !ok {
			continue
		}
		if corrupt == nil && decodeBits(b, page, rec.Value) {
			continue
		}
		if err := rebuildBits(tx, core, page, b); err != nil {
			return err
		}
	}
	return nil
}

// rebuildBits sets the bits of a page by looking at the stored blocks.
func rebuildBits(tx *datastore.Tx, core, page uint64, b *bitfield.Bitfield) error {
	prefix := dataKey(core)
	start := page * bitfield.PageBits
	b.SetRange(start, start+bitfield.PageBits, false)
	for rec, err := range tx.Blocks(blockKey(core, start), blockKey(core, start+bitfield.PageBits)) {
		if errors.Is(err, datastore.ErrCorrupt) {
			continue
		}
		if err != nil {
			return err
		}
		if i, _, ok := datastore.ParseUint(bytes.TrimPrefix(rec.Key, prefix)); ok {
			b.Set(i)
		}
	}
	return nil
}

// A stored page is its bytes without the zero bytes at the end.
func encodeBits(page []byte) []byte { return bytes.TrimRight(page, "\x00") }

func decodeBits(b *bitfield.Bitfield, page uint64, stored []byte) bool {
	if len(stored) > bitfield.PageBytes {
		return false
	}
	full := make([]byte, bitfield.PageBytes)
	copy(full, stored)
	return b.LoadPage(page, full) == nil
}

// has tells whether block i is held in the published state.
func (l *log) has(ctx context.Context, i uint64) (bool, error) {
	if i >= l.current.Load().length {
		return false, nil
	}
	return l.hasRange(ctx, i, i+1)
}

// hasRange tells whether all blocks from start up to, not including, end are. What it looks at in the bitmap belongs to the
// state that was published then.
func (l *log) hasRange(ctx context.Context, start, end uint64) (ok bool, err error) {
	if st := l.current.Load(); end <= st.contiguous || end > st.length {
		return end <= st.contiguous, nil
	}
	err = l.withBits(ctx, func(b *bitfield.Bitfield) {
		st := l.current.Load()
		ok = end <= st.contiguous || end <= st.length && b.HasRange(max(start, st.contiguous), end)
	})
	return ok, err
}
