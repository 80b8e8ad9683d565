// Package core is the log: a list of blocks that one writer appends to and signs, that anybody who has its key can copy,
// in any order and from anybody, and check. Its bytes on the wire, its keys, hashes and signatures are those of
// Hypercore 11.
//
// Start with [Open], [Core.Append] and [Core.Get]. Core.Blocks iterates, Core.Live goes on with what is appended later,
// Core.NewReader reads the log as one stream of bytes, Core.Snapshot holds on to it as it is. Core.Truncate cuts it, which
// begins a new fork that all readers follow; Core.Clear gives back the space of blocks and leaves the log as it is.
//
// # Names
//
// A core is named by its key. For most cores that is the hash of a manifest, which lists who may sign; for a compat core
// it is the signer's public key. A store keeps a core under its discovery key, by which peers find each other without
// telling what they share.
//
// # Trust
//
// The blocks are the leaves of a Merkle tree whose roots are signed together with length and fork. [Core.Apply] is the one
// door for what peers send: it takes proofs, stores what they prove, and nothing else. [Core.Prove] makes them. What is
// missing is asked of a [Source]; without one a core works with what it has.
//
// Data is always verified, then made durable, then made visible, then announced, in that order:
//
//   - An append is hashed and signed, then committed with tree nodes and head as one, then published to readers of
//     Core.Head, and told to peers once it is on stable storage: a head that was shown is never taken back by a power loss.
//   - A proof is verified, then committed, then published and told.
//   - A read checks the checksum that was made of verified bytes. A block that fails it is never returned: it counts as
//     missing, and is fetched again, or the read fails with a *CorruptError.
//
// # Forks
//
// Of two histories of one fork that are both signed, at most one is the writer's: whoever sees both keeps a proof that
// anybody can check, and freezes the core, for good ([ConflictError]). A writer whose store is an old copy learns of the
// newer head, and appends again once it has the blocks that it had forgotten ([ErrRolledBack]).
//
// # Concurrency
//
// All handles of a log may be used from several goroutines. Appends of many callers share commits and signatures. Reads
// take no lock that a change holds while it waits for the disk. A log that is open and idle has no goroutine and no file.
package core
