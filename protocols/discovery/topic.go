package discovery

import (
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// Topic is 32 bytes under which peers find each other: a core's discovery key, or anything else.
type Topic [32]byte

// CID returns what stands for a topic in a distributed hash table.
func (t Topic) CID() cid.Cid { return cid.NewCidV1(cid.Raw, t.Multihash()) }

// Multihash returns the multihash in the topic's CID. It wraps the topic; nothing is hashed.
func (t Topic) Multihash() mh.Multihash {
	b := make([]byte, 0, 4+len(t))
	b = append(b, 0xa0, 0xe4, 0x02, byte(len(t))) // 0xb220 as an unsigned varint, then the length
	return append(b, t[:]...)
}

// topicOf returns the topic that a multihash wraps.
func topicOf(m mh.Multihash) (t Topic, ok bool) {
	if len(m) != 4+len(t) {
		return t, false
	}
	copy(t[:], m[4:])
	return t, string(m) == string(t.Multihash())
}
