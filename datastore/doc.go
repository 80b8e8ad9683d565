// Package datastore keeps records and block bytes: one ordered, atomic store under all cores.
//
// A [DB] is opened by an engine's package (pebble, the embedded default; badger), by [NewMemory], or by [New] over any
// go-datastore whose batches are atomic. Then there are two functions to start with: [DB.View] reads one consistent
// state, [DB.Update] changes it, all or nothing.
//
//	err := db.Update(ctx, func(tx *datastore.Tx) error {
//		tx.SetBlock(blocks.Uint(7), block)
//		tx.Set(head, record)
//		return nil
//	})
//
// The invariant: commits happen one after the other, and what a reader sees, and what is found after a crash, is the
// state after some commit, never a part of one, never one without those before it. What an Update wrote is on stable
// storage when it returns ([Full]) or has been handed to the kernel ([Process]); see [Durability] and [Tx.Lazy].
//
// Concurrent updates are grouped: their closures run one after the other, each seeing what those before it wrote, and
// one commit with one sync carries them all. A lone caller does everything in its own goroutine.
//
// Records and blocks have separate key spaces, see [Key]. Each carries a CRC32C over its key and value, which is
// checked by every read; a mismatch is a [*CorruptError], never a wrong value. Secrets that cannot be derived again
// lie outside of the records, see [Secrets].
package datastore
