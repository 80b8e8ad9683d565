// Package bee is a sorted key/value store in a core: a B-tree whose every change is one block of the log. Its blocks are
// those of Hyperbee 2, byte for byte, so a bee written here is read there, and the other way round.
//
// Start with [Open], [Bee.Put] and [Bee.Get]. [Bee.Range] reads keys in order, [Bee.Update] makes several changes in one
// commit, [Bee.At] shows an older version, [Bee.Diff] what two versions differ in, [Bee.History] all that was ever written,
// [Bee.Watch] what will be. [NewTyped] gives keys and values types.
//
// # Blocks
//
// Block 0 is the header. Each later block is one put or delete: the key, the value if there is one, and the nodes of the tree
// that the change touched, the root first. A node has up to 8 keys, named by the blocks that put them, and 9 children, named
// by block and place within its index. So the root of a version, which is a length of the log, lies in the last block before
// it, and what did not change is shared with the versions before. The blocks of a batch keep only the nodes that are still
// current at its end; the versions within it cannot be read.
//
// # Reading from afar
//
// What is missing is fetched, block by block as the tree leads to it, which takes a round trip for each level. Therefore a
// read that must wait tells the peers of the core which key or range it is after (the extension "hyperbee"). They answer with
// the numbers of the blocks that it takes, and those who run this package send the blocks at once. A scan that
// lacks something sends a scout ahead of itself, who asks for what comes next as soon as the last answer is here.
//
// # Trust
//
// The log proves that the blocks are the writer's, not that they make sense. A block that is malformed, points forward or out
// of the log, or belongs to a tree without an end gives [ErrCorrupt]; the work of a read is bounded by the number of blocks.
// Hints of peers are suspect as well: they are answered from what is here, within limits, and an answer is heeded as far as
// it was asked for.
//
// # Concurrency
//
// A bee may be used from several goroutines. Readers see the version that was newest when they began. Changes follow each
// other, also through several bees on one core.
package bee
