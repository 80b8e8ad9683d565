// Package manifest says who may sign a core, and signs and checks its trees.
//
// A [Manifest] lists the signers of a core, how many of them must agree, and, for a core that starts from fixed
// content, the prologue: the tree that content must have. The hash of the manifest is the core's key, so whoever knows
// the key can check a manifest that a peer hands over. Start with [Single], or [New] for anything but one signer, and
// with [NewAuthority], which binds a manifest to a key and then signs ([Authority.Sign]) and checks
// ([Authority.VerifyTree]).
//
// The invariant: an [Authority] exists only for a manifest that belongs to its key, and each tree it accepts was agreed
// to by the manifest's quorum, or is the prologue. The package does no I/O and starts no goroutine; manifests and
// signatures are suspect until an Authority has accepted them.
//
// # Versions
//
// The forms are those of Hypercore 11. We write versions 0, 1 and 2, and read 3 as well. Version 1 is the usual one;
// version 2 adds linked cores and user data. Cores of Hypercore 10, called compat, have no manifest of their own: their
// key is the only signer's public key. From version 1 on a signature signs the core's key together with the tree; in
// version 0 the signer's namespace; in a compat core neither.
//
// # Several signers
//
// When more than one signature is due, each signer makes a [Part] with [Authority.SignPart], and anyone joins enough of
// them with [Authority.Assemble]. Where the manifest allows patches, the parts may be for different lengths: a signer
// who was ahead signs a longer tree, and the joined signature carries the nodes by which the shorter tree that all
// agree on grows into it.
package manifest
