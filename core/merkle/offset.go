package merkle

import (
	"fmt"
	"math/bits"
)

// ByteOffset returns the number of bytes before a block; the block may be t.Length, one past the last. It reads the nodes
// it needs at once. Errors: ErrOutOfRange, ErrMissingNode, and ErrUnsureSize together with the offset that the claimed
// sizes give.
func ByteOffset(r Reader, t *Tree, block uint64) (uint64, error) {
	if block == t.Length {
		return t.ByteLength, nil
	}
	offset, _, err := byteRange(r, t, 2*block, false)
	return offset, err
}

// ByteRange returns the number of bytes before a block, and the size of the block. Errors are those of [ByteOffset]. When a
// block is at hand its length is a better size than the leaf's.
func ByteRange(r Reader, t *Tree, block uint64) (offset, size uint64, err error) {
	return byteRange(r, t, 2*block, true)
}

// byteRange adds up what is to the left of a leaf: the roots left of its root, and the left siblings on its path.
func byteRange(r Reader, t *Tree, leaf uint64, withSize bool) (offset, size uint64, err error) {
	root, err := t.rootAbove(leaf / 2)
	if err != nil {
		return 0, 0, err
	}
	for i := 0; t.Roots[i].Index != root.Index; i++ {
		offset += t.Roots[i].Size
	}
	if LeftSpan(root.Index) == leaf && !withSize {
		return offset, 0, nil
	}
	if root.Index == leaf {
		return offset, root.Size, nil
	}
	need := appendLeftUncles(make([]uint64, 0, Depth(root.Index)+1), leaf, root.Index)
	lefts := len(need)
	if withSize {
		need = append(need, leaf)
	}
	nodes, err := readAll(r, need)
	if err != nil {
		return 0, 0, fmt.Errorf("byte offset of block %d: %w", leaf/2, err)
	}
	for _, n := range nodes[:lefts] {
		offset += n.Size
	}
	for _, n := range nodes[lefts:] {
		size = n.Size
	}
	for _, n := range nodes {
		if n.Unsure {
			return offset, size, fmt.Errorf("byte offset of block %d, node %d: %w", leaf/2, n.Index, ErrUnsureSize)
		}
	}
	return offset, size, nil
}

// appendLeftUncles appends those siblings on the way from leaf up to root that lie to the left of leaf.
func appendLeftUncles(dst []uint64, leaf, root uint64) []uint64 {
	for i := leaf; i != root; i = ParentIndex(i) {
		if s := Sibling(i); s < i {
			dst = append(dst, s)
		}
	}
	return dst
}

// Seek returns the block that holds the byte at a position, and where in the block it is. padding is the number of bytes in
// front of every block that positions do not count (8 with block encryption). Position 0 is block 0; the total is one
// past the last block, offset 0. Errors: ErrOutOfRange past the total, or when blocks are shorter than the padding;
// ErrMissingNode. With ErrUnsureSize comes the position that the claimed sizes give: fetch that block, which proves the
// sizes on its path, and seek again.
func Seek(r Reader, t *Tree, position, padding uint64) (block, offset uint64, err error) {
	if position == 0 {
		return 0, 0, nil
	}
	rest := position
	for _, root := range t.Roots {
		size, ok := unpadded(root, padding)
		if !ok {
			return 0, 0, fmt.Errorf("seek %d: blocks shorter than %d: %w", position, padding, ErrOutOfRange)
		}
		switch {
		case rest == size:
			return RightSpan(root.Index)/2 + 1, 0, nil
		case rest > size:
			rest -= size
		default:
			at, rest, unsure, err := descend(r, root.Index, rest, padding)
			if err != nil {
				return 0, 0, fmt.Errorf("seek %d: %w", position, err)
			}
			return seekResult(position, at, rest, unsure)
		}
	}
	return 0, 0, fmt.Errorf("seek %d: %w", position, ErrOutOfRange)
}

// seekResult turns the end of a descent into a block and an offset in it.
func seekResult(position, at, rest uint64, unsure bool) (block, offset uint64, err error) {
	if unsure {
		err = fmt.Errorf("seek %d: %w", position, ErrUnsureSize)
	}
	return LeftSpan(at) / 2, rest, err
}

// descend walks down from a node to the leaf that holds the byte at a position below it (less than the node's size). When
// a position is where a right sibling begins, it ends there, with nothing left to go. unsure tells that a claimed size
// chose the way.
func descend(r Reader, index, position, padding uint64) (at, rest uint64, unsure bool, err error) {
	for at = index; position > 0; {
		left, right, ok := Children(at)
		if !ok {
			break
		}
		nodes, err := readAll(r, []uint64{left})
		if err != nil {
			return at, position, unsure, err
		}
		size, ok := unpadded(nodes[0], padding)
		if !ok {
			return at, position, unsure, fmt.Errorf("node %d: blocks shorter than %d: %w", left, padding, ErrOutOfRange)
		}
		unsure = unsure || nodes[0].Unsure
		if position < size {
			at = left
			continue
		}
		at, position = right, position-size
	}
	return at, position, unsure, nil
}

// unpadded returns the size of a node without its blocks' padding; ok is false when the node has fewer bytes.
func unpadded(n Node, padding uint64) (size uint64, ok bool) {
	return minusPadding(n.Size, Leaves(n.Index), padding)
}

// minusPadding returns size without the padding of that many blocks; ok is false when that is more than there is.
func minusPadding(size, blocks, padding uint64) (rest uint64, ok bool) {
	hi, pad := bits.Mul64(padding, blocks)
	if hi != 0 || pad > size {
		return 0, false
	}
	return size - pad, true
}
