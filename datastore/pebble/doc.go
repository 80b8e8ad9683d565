// Package pebble is the embedded default store: block bytes in append-only segment files, records in Pebble, and a
// journal that makes both outlive a crash. Start with Open; OpenEngine is for tests of the engine itself.
//
// A store is a folder:
//
//	FORMAT     what this is, in one line; written last when the store is made
//	LOCK       locked while the store is open; HOLDER beside it names who holds it
//	journal/   one frame for each commit, until Pebble has its records on stable storage
//	records/   Pebble, without a log of its own
//	segments/  the bytes of blocks that are too large to lie in a record
//	secrets/   one file of mode 0600 for each secret
//
// # A commit
//
// The bytes of large blocks are appended to the active segment, then everything else, records and the places of the
// blocks, is appended to the journal as one frame with a checksum, then it is applied to Pebble's memory and so becomes
// visible. Each append is one write(2), so a commit survives the death of the process; a durable commit syncs the
// segment and the journal before it becomes visible. When the journal is full, a new file is begun and Pebble flushes
// its memory; then the older files go.
//
// # After a crash
//
// Frames that Pebble lacks are applied again, in order. The first frame that is missing, broken, or whose block bytes
// are not those of its checksums ends the history: nothing after it was promised to anybody, unless a later frame says
// that it had been synced. Then the store is damaged; it opens read-only with what comes before, and nothing of it is
// removed. So the state after a crash is always the state after some commit, at or after the last durable one.
//
// # Space
//
// Pebble has an entry for each block that lies in a segment, in the order of the segment: the gaps between these are
// what is dead. Once a removal is on stable storage, and the journal says so, the gaps are given back as holes where the
// file system can do that; a segment without a live byte is removed, and one whose waste exceeds its live bytes is
// written anew.
package pebble
