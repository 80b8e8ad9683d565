package pebble

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hypernode/hypernode/datastore"
)

// plan is a commit that is being put together: what goes into the segment, and what goes into the journal and Pebble.
type plan struct {
	e     *Engine
	batch *pebble.Batch
	meta  meta
	// segments that are not the active one and whose counts change
	segments map[uint32]segmentInfo
	placed   []placedBlock
	freed    []place        // of blocks that were there before; may name one twice
	index    map[string]int // of placed by key, once the keys do not ascend
	last     []byte         // the highest key in placed, while they ascend
	tombs    []keyRange

	key, value []byte
	end        []byte
}

// placedBlock is a block that this commit puts into the active segment.
type placedBlock struct {
	key, data []byte
	place     place
	dead      bool // replaced or removed later in the same commit
}

func (p *plan) begin(e *Engine) {
	*p = plan{e: e, batch: e.db.NewBatch(), meta: e.meta, placed: p.placed[:0], freed: p.freed[:0],
		last: p.last[:0], tombs: p.tombs[:0], key: p.key, value: p.value, end: p.end}
	p.meta.seq++
}

// release drops what refers to the caller's slices, and what is large.
func (p *plan) release() error {
	clear(p.placed)
	if cap(p.placed) > 1<<16 {
		p.placed = nil
	}
	if cap(p.freed) > 1<<16 {
		p.freed = nil
	}
	p.segments, p.index = nil, nil
	b := p.batch
	p.batch = nil
	return b.Close()
}

func (p *plan) add(op *datastore.Op) error {
	switch op.Kind {
	case datastore.OpSet:
		p.key = inSpace(p.key[:0], spaceRecord, op.Key)
		return p.batch.Set(p.key, op.Value, nil)
	case datastore.OpDelete:
		p.key = inSpace(p.key[:0], spaceRecord, op.Key)
		return p.batch.Delete(p.key, nil)
	case datastore.OpDeleteRange:
		return p.deleteRange(spaceRecord, op.Key, op.End)
	case datastore.OpSetBlock:
		return p.setBlock(op.Key, op.Value, op.Sum)
	case datastore.OpDeleteBlocks:
		return p.deleteBlocks(op.Key, op.End)
	}
	return fmt.Errorf("pebble: operation %d", op.Kind)
}

func (p *plan) deleteRange(space byte, lo, hi []byte) error {
	if bytes.Compare(lo, hi) >= 0 {
		return nil
	}
	p.key = inSpace(p.key[:0], space, lo)
	p.end = inSpace(p.end[:0], space, hi)
	p.tombs = append(p.tombs, keyRange{bytes.Clone(p.key), bytes.Clone(p.end)})
	return p.batch.DeleteRange(p.key, p.end, nil)
}

func (p *plan) setBlock(key, data []byte, sum uint32) error {
	if err := p.replace(key); err != nil {
		return err
	}
	if len(data) <= p.e.options.Inline {
		p.value = appendInline(p.value[:0], sum, data)
	} else {
		p.value = appendPlaced(p.value[:0], sum, p.put(key, data))
	}
	p.key = inSpace(p.key[:0], spaceBlock, key)
	return p.batch.Set(p.key, p.value, nil)
}

// put gives a block the next place in the active segment.
func (p *plan) put(key, data []byte) place {
	at := place{segment: p.meta.active, offset: p.meta.info.end, length: uint32(len(data))}
	p.meta.info.end += at.length
	p.meta.info.live += uint64(at.length)
	if p.index != nil {
		p.index[string(key)] = len(p.placed)
	}
	p.last = append(p.last[:0], key...)
	p.placed = append(p.placed, placedBlock{key: key, data: data, place: at})
	return at
}

// replace frees the place of a block that is about to be set.
func (p *plan) replace(key []byte) error {
	if p.index == nil && len(p.placed) > 0 && bytes.Compare(key, p.last) <= 0 {
		p.index = make(map[string]int, len(p.placed)+1)
		for i := range p.placed {
			p.index[string(p.placed[i].key)] = i
		}
	}
	if i, ok := p.index[string(key)]; ok {
		p.discard(i)
	}
	if p.e.gaps.take(key) {
		return nil
	}
	return p.replaceCommitted(key)
}

// replaceCommitted looks for a block that is there already, and learns where the next one is.
func (p *plan) replaceCommitted(key []byte) error {
	p.key = inSpace(p.key[:0], spaceBlock, key)
	it, err := p.e.db.NewIter(&pebble.IterOptions{LowerBound: p.key, UpperBound: []byte{spaceBlock + 1}})
	if err != nil {
		return err
	}
	ok := it.First()
	if ok && bytes.Equal(it.Key(), p.key) {
		if err := p.free(it); err != nil {
			return errors.Join(err, it.Close())
		}
		ok = it.Next()
	}
	if err := it.Error(); err != nil {
		return errors.Join(err, it.Close())
	}
	if ok {
		p.e.gaps.learn(key, it.Key()[1:])
	} else {
		p.e.gaps.learn(key, nil)
	}
	return it.Close()
}

// discard takes back the place that this commit gave to a block.
func (p *plan) discard(i int) {
	if b := &p.placed[i]; !b.dead {
		b.dead = true
		p.meta.info.live -= uint64(b.place.length)
	}
}

func (p *plan) deleteBlocks(lo, hi []byte) error {
	if bytes.Compare(lo, hi) >= 0 {
		return nil
	}
	for i := range p.placed {
		if k := p.placed[i].key; bytes.Compare(lo, k) <= 0 && bytes.Compare(k, hi) < 0 {
			p.discard(i)
		}
	}
	it, err := p.e.db.NewIter(&pebble.IterOptions{
		LowerBound: inSpace(nil, spaceBlock, lo), UpperBound: inSpace(nil, spaceBlock, hi),
	})
	if err != nil {
		return err
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		err = p.free(it)
	}
	if err := errors.Join(err, it.Error(), it.Close()); err != nil {
		return err
	}
	return p.deleteRange(spaceBlock, lo, hi)
}

// move gives a block a new place, if it still lies in the old one, and tells whether it did.
func (p *plan) move(key, data []byte, old place) (bool, error) {
	p.key = inSpace(p.key[:0], spaceBlock, key)
	v, closer, err := p.e.db.Get(p.key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r, err := parseBlock(v)
	if err := errors.Join(err, closer.Close()); err != nil {
		return false, err
	}
	if r.inline || r.place != old {
		return false, nil
	}
	p.freed = append(p.freed, old)
	p.value = appendPlaced(p.value[:0], r.sum, p.put(key, data))
	return true, p.batch.Set(p.key, p.value, nil)
}

// finish adds the engine's own entries. They come last, in order, which Pebble inserts faster.
func (p *plan) finish() error {
	for i := range p.placed {
		b := &p.placed[i]
		if b.dead {
			continue
		}
		p.key = placeKey(p.key[:0], b.place.segment, b.place.offset)
		p.value = appendPlace(p.value[:0], b.place.length, b.key)
		if err := p.batch.Set(p.key, p.value, nil); err != nil {
			return err
		}
	}
	if err := p.finishFreed(); err != nil {
		return err
	}
	for n, s := range p.segments {
		p.key, p.value = segmentKey(p.key[:0], n), appendSegment(p.value[:0], s)
		if err := p.batch.Set(p.key, p.value, nil); err != nil {
			return err
		}
	}
	p.value = appendMeta(p.value[:0], p.meta)
	return p.batch.Set(metaKey, p.value, nil)
}
