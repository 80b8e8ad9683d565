package merkle

import "fmt"

// seekBelow returns the node at a byte position that lies below top.
func seekBelow(r Reader, t *Tree, top uint64, s *SeekRequest) (uint64, error) {
	first := LeftSpan(top) / 2
	before, err := ByteOffset(r, t, first)
	if err != nil {
		return 0, err
	}
	skipped, ok := minusPadding(before, first, s.Padding)
	if !ok || s.Bytes < skipped {
		return 0, fmt.Errorf("%w: seek %d is left of node %d", ErrInvalidRequest, s.Bytes, top)
	}
	if s.Bytes == skipped {
		return top, nil
	}
	nodes, err := readAll(r, []uint64{top})
	if err != nil {
		return 0, err
	}
	size, ok := unpadded(nodes[0], s.Padding)
	if !ok || size <= s.Bytes-skipped {
		return 0, fmt.Errorf("%w: seek %d is right of node %d", ErrInvalidRequest, s.Bytes, top)
	}
	return seekNode(r, top, s.Bytes-skipped, s.Padding)
}

// seekHead returns the node at a byte position in the first length blocks, and 2*length, which is no node of theirs, when
// the position is past their end.
func seekHead(r Reader, t *Tree, length uint64, s *SeekRequest) (uint64, error) {
	tree, err := TreeAt(r, t, length)
	if err != nil {
		return 0, err
	}
	rest := s.Bytes
	for _, root := range tree.Roots {
		size, ok := unpadded(root, s.Padding)
		switch {
		case !ok:
			return 0, fmt.Errorf("%w: blocks shorter than padding %d", ErrInvalidRequest, s.Padding)
		case rest == size:
			return root.Index, nil
		case rest < size:
			return seekNode(r, root.Index, rest, s.Padding)
		}
		rest -= size
	}
	return 2 * length, nil
}

// seekNode returns the node to show for a byte position below index: where the way to it ends at a leaf, at a left child
// that ends exactly there, or at a node whose left child is not stored.
func seekNode(r Reader, index, position, padding uint64) (uint64, error) {
	if position == 0 {
		return index, nil
	}
	for {
		left, right, ok := Children(index)
		if !ok {
			return index, nil
		}
		nodes, err := readSome(r, []uint64{left})
		if err != nil || nodes[0].IsZero() {
			return index, err
		}
		size, ok := unpadded(nodes[0], padding)
		switch {
		case !ok:
			return 0, fmt.Errorf("%w: blocks shorter than padding %d", ErrInvalidRequest, padding)
		case position == size:
			return left, nil
		case position < size:
			index = left
		default:
			index, position = right, position-size
		}
	}
}
