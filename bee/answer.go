package bee

import (
	"context"
	"slices"
)

// answerGet tells a peer the blocks that lead to a key, and sends them.
func (h *hints) answerGet(ctx context.Context, peer string, m *lookup) {
	v, used := h.view(m.version)
	if v == nil {
		return
	}
	defer v.end()
	_, _ = v.find(ctx, m.key) // as far as it comes
	used.tell(h, peer)
}

// answerIterator tells a peer the blocks of a range from where it stands, as far as they are here.
func (h *hints) answerIterator(ctx context.Context, peer string, m *iterator) {
	v, used := h.view(m.version)
	if v == nil {
		return
	}
	defer v.end()
	r := Range{GTE: m.gte, GT: m.gt, LTE: m.lte, LT: m.lt}
	c := v.cursor(r.bounds(), m.reverse)
	if len(m.checkpoint) > 0 && c.resume(ctx, m.checkpoint) != nil {
		return
	}
	for n := uint64(0); m.limit == 0 || n < m.limit; n++ {
		b, err := c.next(ctx)
		if b == nil || err != nil || len(used.list) >= maxIteratorBlocks {
			break
		}
		if len(used.list)-used.told >= cachedBlocks {
			used.tell(h, peer)
		}
	}
	used.tell(h, peer)
}

// view is a read that does not wait, of a version that a peer named.
func (h *hints) view(version uint64) (*view, *usedBlocks) {
	head := h.s.core.Head()
	if version > head.Length {
		return nil, nil
	}
	used := &usedBlocks{seen: make(map[uint64]struct{})}
	return &view{s: h.s, fork: head.Fork, version: version, local: true, touched: used.add}, used
}

// usedBlocks lists the blocks that a read used, each once.
type usedBlocks struct {
	seen map[uint64]struct{}
	list []uint64
	told int
}

func (u *usedBlocks) add(seq uint64) {
	if _, ok := u.seen[seq]; !ok {
		u.seen[seq] = struct{}{}
		u.list = append(u.list, seq)
	}
}

// tell sends a peer the blocks that it was not told of, in groups: the blocks themselves, if it takes such gifts, and their
// numbers.
func (u *usedBlocks) tell(h *hints, peer string) {
	for u.told < len(u.list) {
		group := u.list[u.told:min(len(u.list), u.told+cachedBlocks)]
		u.told += len(group)
		h.s.core.Push(peer, slices.Clone(group))
		m := &cached{start: slices.Min(group), end: slices.Max(group) + 1, blocks: group}
		h.s.core.Send(peer, extensionName, (&message{cache: m}).payload())
	}
}
