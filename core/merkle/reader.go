package merkle

import "fmt"

// Reader gives access to stored nodes. ReadNodes returns as many nodes as there are indexes, in the same order; the zero
// Node stands for one that is not stored. An error means that the store failed, not that a node is absent. The indexes
// are not kept.
type Reader interface {
	ReadNodes(indexes []uint64) ([]Node, error)
}

// readSome reads nodes of which some may be absent.
func readSome(r Reader, indexes []uint64) ([]Node, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	nodes, err := r.ReadNodes(indexes)
	if err != nil {
		return nil, fmt.Errorf("merkle: read %d nodes: %w", len(indexes), err)
	}
	if len(nodes) != len(indexes) {
		return nil, fmt.Errorf("merkle: read %d nodes: the store returned %d", len(indexes), len(nodes))
	}
	for i := range nodes {
		if nodes[i].Index != indexes[i] {
			nodes[i] = Node{}
		}
	}
	return nodes, nil
}

// readAll reads nodes that must all be there.
func readAll(r Reader, indexes []uint64) ([]Node, error) {
	nodes, err := readSome(r, indexes)
	if err != nil {
		return nil, err
	}
	for i := range nodes {
		if nodes[i].IsZero() {
			return nil, fmt.Errorf("%w: %d", ErrMissingNode, indexes[i])
		}
	}
	return nodes, nil
}

// TreeAt returns the tree of the first length blocks, with the fork of t. A writer that truncates signs it, under a new
// fork, and removes every node that is not [Complete] in it. Errors: ErrOutOfRange when t is shorter, ErrMissingNode and
// ErrUnsureSize when a sparse store does not know the roots of that length.
func TreeAt(r Reader, t *Tree, length uint64) (Tree, error) {
	if length > t.Length {
		return Tree{}, fmt.Errorf("tree of %d blocks, have %d: %w", length, t.Length, ErrOutOfRange)
	}
	indexes := FullRoots(nil, length)
	same := 0
	for same < len(indexes) && same < len(t.Roots) && indexes[same] == t.Roots[same].Index {
		same++
	}
	roots := append(make([]Node, 0, len(indexes)), t.Roots[:same]...)
	rest, err := readAll(r, indexes[same:])
	if err != nil {
		return Tree{}, err
	}
	for _, n := range rest {
		if n.Unsure {
			return Tree{}, fmt.Errorf("root %d of length %d: %w", n.Index, length, ErrUnsureSize)
		}
	}
	return NewTree(t.Fork, append(roots, rest...))
}

// MissingNodes returns how many levels up from the node, in a tree of length blocks, the first stored one is: the Nodes
// of a request for the block or hash. It is 0 when the node is stored, and when it is not complete in the tree (the proof
// then runs into an upgrade).
func MissingNodes(r Reader, index, length uint64) (uint64, error) {
	levels := MaxMissingNodes(index, length)
	if levels == 0 && !Complete(index, length) {
		return 0, nil
	}
	path := make([]uint64, 0, levels+1)
	for i := index; uint64(len(path)) <= levels; i = ParentIndex(i) {
		path = append(path, i)
	}
	nodes, err := readSome(r, path)
	if err != nil {
		return 0, err
	}
	for i := range nodes {
		if !nodes[i].IsZero() {
			return uint64(i), nil
		}
	}
	return uint64(len(path)), nil
}

// MaxMissingNodes returns what MissingNodes is at most, for a reader that has nothing but the roots of length blocks: the
// levels from the node to the root above it.
func MaxMissingNodes(index, length uint64) uint64 {
	if !Complete(index, length) {
		return 0
	}
	return uint64(Depth(rootIndex(LeftSpan(index), length)) - Depth(index))
}
