// Package merkle is the hash tree of a core: its numbering, its hashes, and the proofs that let a reader who trusts one
// signature check any block.
//
// A core of n blocks is a row of n leaves. Pairs of leaves have parents, pairs of parents have parents, as far as whole
// pairs go; what remains without a parent, from left to right, are the roots. Only the roots are signed. A writer starts
// with [NewBatch]. A reader keeps a [Tree], the roots it last verified, and starts with [Check]; whoever answers it uses
// [Prove].
//
// Everything here is pure: no I/O, no goroutine. Nodes are read through the one-method [Reader], in groups. Each proof
// is a triple: list the nodes it needs ([NewPlan]), build it from them ([Plan.Build]), check it ([Check]).
//
// The invariant: what a proof brings is suspect. [Check] and its kin return trees and nodes only after the path from
// every node to a stored node or to a verified signature has been recomputed, and an error leaves no trace. "Verify,
// then store" is the contract; callers put [Verified] into their store as one commit.
//
// # Sizes that are not proven
//
// A parent's hash covers its children's hashes and the sum of their sizes, not each size. Where a proof gives both
// children and neither is a block that was hashed here, bytes can be moved from one size to the other unseen. Such nodes
// carry [Node.Unsure]: their hashes are proven, their sizes are a claim. Stores keep the mark. The functions of this
// package never take an unsure size for granted; they say [ErrUnsureSize]. The mark goes when any block below, or the
// children of the node, are proven.
//
// Numbering, hashes, proofs and wire forms are those of Hypercore 11.
package merkle
