// Package bitfield is a sparse bitmap over the block indexes of a log: which blocks are held where they do not form one
// prefix, here or at a peer.
//
// Start with [Bitfield.SetRange] and [Bitfield.Has]; [Bitfield.Runs] lists what is set. Bits lie in pages of [PageBits].
// A page with no bit set takes no memory, and neighbouring pages with every bit set take one entry together, so that a
// range costs the same whether it has a thousand bits or 2^40. Only pages that are partly set hold bits: 4 KiB at most,
// and less when behind some bit everything is set, or nothing.
//
// In bytes a page is LSB first: bit i of the page is bit i%8 of byte i/8. Read as little-endian words of 32 bits that
// is also the form of bitfield messages in Hypercore's replication.
package bitfield
