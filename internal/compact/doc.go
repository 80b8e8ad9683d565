// Package compact reads and writes compact-encoding, the primitives under every Hypercore format: manifests,
// signatures, proofs, replication messages.
//
// Start with [AppendUint] and its siblings to write, and with [NewDecoder] to read. All fixed-width numbers are
// little-endian. A writer appends to a slice, as the functions of encoding/binary do; a reader is a [Decoder] whose
// first error sticks, so that a format is read as one straight list of fields and checked once, at the end.
//
// The invariant of the reader: input is suspect, so a length or a count is compared with the bytes that are left
// before anything is allocated or sliced for it. What a Decoder hands out is never larger than what it was given.
package compact
