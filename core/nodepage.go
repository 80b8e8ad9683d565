package core

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/hypernode/hypernode/core/merkle"
)

// Tree nodes are stored in pages. A page holds four depths of the tree: at level L the nodes of depth 4L to 4L+3 below
// one node of depth 4L+4, at most 16+8+4+2. A path from a leaf to the root of a million blocks crosses five pages, and
// an append rewrites one small page, or two.
const (
	pageDepths = 4
	pageSlots  = 30
	pageLevels = 64/pageDepths + 1
)

// slotBase is the first slot of each depth in a page.
var slotBase = [pageDepths]uint64{0, 16, 24, 28}

// pageID names a page of one core.
type pageID struct{ level, page uint64 }

// place returns where a tree node is stored.
func place(index uint64) (id pageID, slot uint64) {
	depth := uint64(bits.TrailingZeros64(^index))
	offset := index >> (depth + 1)
	level, d := depth/pageDepths, depth%pageDepths
	width := uint64(pageDepths) - d
	return pageID{level, offset >> width}, slotBase[d] + offset&(1<<width-1)
}

// index is the inverse of place.
func (id pageID) index(slot uint64) uint64 {
	d := uint64(pageDepths - 1)
	for slot < slotBase[d] {
		d--
	}
	depth := id.level*pageDepths + d
	offset := id.page<<(pageDepths-d) + slot - slotBase[d]
	return offset<<(depth+1) + 1<<depth - 1
}

// span returns the blocks below a page.
func (id pageID) span() Range {
	leaves := uint64(1) << (pageDepths * (id.level + 1))
	return Range{id.page * leaves, (id.page + 1) * leaves}
}

// nodePage is a page in memory.
type nodePage struct {
	present, unsure uint32
	size            [pageSlots]uint64
	hash            [pageSlots]merkle.Hash
}

var errPage = errors.New("core: malformed page of tree nodes")

const unsureFlag = 1 << 31

// appendPage encodes a page: a mask of the slots that are there, a mask of the unsure ones if there are any (bit 31 of
// the first says so), the sizes, the hashes.
func (p *nodePage) appendTo(b []byte) []byte {
	mask := p.present
	if p.unsure != 0 {
		mask |= unsureFlag
	}
	b = binary.LittleEndian.AppendUint32(b, mask)
	if p.unsure != 0 {
		b = binary.LittleEndian.AppendUint32(b, p.unsure)
	}
	for m := p.present; m != 0; m &= m - 1 {
		b = binary.AppendUvarint(b, p.size[bits.TrailingZeros32(m)])
	}
	for m := p.present; m != 0; m &= m - 1 {
		b = append(b, p.hash[bits.TrailingZeros32(m)][:]...)
	}
	return b
}

// decode reads what appendTo wrote.
func (p *nodePage) decode(b []byte) error {
	*p = nodePage{}
	if len(b) < 4 {
		return errPage
	}
	mask := binary.LittleEndian.Uint32(b)
	b = b[4:]
	if mask&unsureFlag != 0 {
		if len(b) < 4 {
			return errPage
		}
		p.unsure, b = binary.LittleEndian.Uint32(b), b[4:]
		mask &^= unsureFlag
	}
	if mask >= 1<<pageSlots || p.unsure&^mask != 0 {
		return errPage
	}
	p.present = mask
	for m := mask; m != 0; m &= m - 1 {
		size, n := binary.Uvarint(b)
		if n <= 0 {
			return errPage
		}
		p.size[bits.TrailingZeros32(m)], b = size, b[n:]
	}
	if len(b) != 32*bits.OnesCount32(mask) {
		return errPage
	}
	for m := mask; m != 0; m &= m - 1 {
		b = b[copy(p.hash[bits.TrailingZeros32(m)][:], b):]
	}
	return nil
}

// node returns the node in a slot, or the zero Node.
func (p *nodePage) node(id pageID, slot uint64) merkle.Node {
	bit := uint32(1) << slot
	if p.present&bit == 0 {
		return merkle.Node{}
	}
	return merkle.Node{Index: id.index(slot), Size: p.size[slot], Hash: p.hash[slot], Unsure: p.unsure&bit != 0}
}

// put sets a slot.
func (p *nodePage) put(slot uint64, n *merkle.Node) {
	bit := uint32(1) << slot
	p.present |= bit
	p.unsure &^= bit
	if n.Unsure {
		p.unsure |= bit
	}
	p.size[slot], p.hash[slot] = n.Size, n.Hash
}

// cut drops the nodes that are not complete in a log of that length.
func (p *nodePage) cut(id pageID, length uint64) {
	for m := p.present; m != 0; m &= m - 1 {
		slot := uint64(bits.TrailingZeros32(m))
		if !merkle.Complete(id.index(slot), length) {
			p.present &^= 1 << slot
			p.size[slot], p.hash[slot] = 0, merkle.Hash{}
		}
	}
	p.unsure &= p.present
}
