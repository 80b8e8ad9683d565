package merkle

import "math/bits"

// Nodes are numbered as an in-order walk of an endless binary tree sees them: leaves have the even numbers, block i being
// leaf 2i, and a parent lies in the middle of the leaves below it. A node of depth d (leaves have 0) that is the o-th of
// its row has index (1+2o)*2^d - 1. All arithmetic is exact for trees of up to 2^53 blocks.

// Depth returns the height of the node above the leaves.
func Depth(index uint64) uint { return uint(bits.TrailingZeros64(^index)) }

// Offset returns the position of the node in its row, counted from 0.
func Offset(index uint64) uint64 { return index >> (Depth(index) + 1) }

// Index returns the number of the node at a depth and an offset in its row.
func Index(depth uint, offset uint64) uint64 { return (1+2*offset)<<depth - 1 }

// ParentIndex returns the number of the node's parent.
func ParentIndex(index uint64) uint64 {
	d := Depth(index)
	return Index(d+1, index>>(d+2))
}

// Sibling returns the number of the other child of the node's parent.
func Sibling(index uint64) uint64 { return index ^ 1<<(Depth(index)+1) }

// Children returns the numbers of the two children; ok is false for a leaf, which has none.
func Children(index uint64) (left, right uint64, ok bool) {
	d := Depth(index)
	if d == 0 {
		return 0, 0, false
	}
	return index - 1<<(d-1), index + 1<<(d-1), true
}

// LeftSpan returns the number of the leftmost leaf below the node (a leaf is below itself).
func LeftSpan(index uint64) uint64 { return index + 1 - 1<<Depth(index) }

// RightSpan returns the number of the rightmost leaf below the node (a leaf is below itself).
func RightSpan(index uint64) uint64 { return index + 1<<Depth(index) - 1 }

// Leaves returns how many leaves are below the node, 1 for a leaf.
func Leaves(index uint64) uint64 { return 1 << Depth(index) }

// Contains reports whether node inner is outer or lies below it.
func Contains(outer, inner uint64) bool { return LeftSpan(outer) <= inner && inner <= RightSpan(outer) }

// Complete reports whether all leaves below the node are among the first length blocks. Only complete nodes exist in a
// tree of that length: a store that truncates to length removes every node that is not.
func Complete(index, length uint64) bool { return RightSpan(index) < 2*length }

// FullRoots appends the numbers of the roots of a tree of length blocks to dst, from left to right, largest first.
func FullRoots(dst []uint64, length uint64) []uint64 {
	start := uint64(0)
	for length > 0 {
		d := uint(bits.Len64(length)) - 1
		dst = append(dst, Index(d, start>>d))
		start += 1 << d
		length -= 1 << d
	}
	return dst
}

// GrowthIndexes appends to dst the nodes that somebody who holds the tree of from blocks needs to make the tree of to
// blocks: first, from bottom to top, the right-hand siblings on the way from the last old leaf to the new root above it,
// then the new roots to the right of that. This is the order of the nodes of an upgrade. Nothing is appended unless
// from < to.
func GrowthIndexes(dst []uint64, from, to uint64) []uint64 {
	if from >= to {
		return dst
	}
	var scratch [64]uint64
	for _, root := range FullRoots(scratch[:0], to) {
		switch {
		case RightSpan(root) < 2*from: // held
		case from == 0 || LeftSpan(root) >= 2*from:
			dst = append(dst, root)
		default:
			dst = appendRightUncles(dst, 2*from-2, root)
		}
	}
	return dst
}

// appendRightUncles appends those siblings on the way from leaf up to root that lie to the right of leaf.
func appendRightUncles(dst []uint64, leaf, root uint64) []uint64 {
	for i := leaf; i != root; i = ParentIndex(i) {
		if s := Sibling(i); s > i {
			dst = append(dst, s)
		}
	}
	return dst
}

// StaleBelow appends to dst the nodes with a number below 2*length that a tree cut from oldLength to length blocks no
// longer has: the ancestors of its last leaf that reach beyond it. All nodes numbered 2*length or higher go as well.
func StaleBelow(dst []uint64, length, oldLength uint64) []uint64 {
	if length == 0 || length >= oldLength {
		return dst
	}
	for i := 2*length - 2; RightSpan(i) < 2*oldLength; i = ParentIndex(i) {
		if i < 2*length && !Complete(i, length) {
			dst = append(dst, i)
		}
	}
	return dst
}
