// Package keys holds the keys of the Hypercore world: what names a core, what signs it, and what both are derived from.
//
// Start with [Parse], which reads the text form of a core's [Key], and with [PrimaryKey.Pair], which derives the key
// pair of a named core from the one secret a store keeps. [PairFromSeed] and [NewPair] make pairs without a store.
//
// The kinds are told apart by type although all are 32 bytes: a [Key] names a core and gives read access to it, a
// [DiscoveryKey] is what peers may say aloud to find each other, a [PublicKey] belongs to a signer, a [Seed] and a
// [PrimaryKey] are secrets. Secrets print as "redacted" through fmt, log/slog and encoding/json. The one gap: fmt reads
// unexported struct fields behind the back of every method, so a struct that keeps a Seed or a PrimaryKey in such a
// field must not be printed itself. A [Pair] is safe even there.
//
// Hashes are BLAKE2b with 256 bits, signatures Ed25519 (RFC 8032) checked as strictly as libsodium does, text forms
// z-base-32 or hexadecimal. The package does no I/O and starts no goroutine; [NewPair] and [NewPrimaryKey] read the
// system's randomness.
package keys
