package wire

import (
	"crypto/subtle"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/compact"
)

// Handshake is the payload with which each side opens a channel.
type Handshake struct {
	Seeks      bool     // requests to the sender may have a seek section
	Capability [32]byte // proof that the sender knows the key; see Capability
}

const handshakeSeeks = 1

// Append appends the wire form of h: flags | capability, of 32 bytes.
func (h Handshake) Append(b []byte) []byte {
	b = compact.AppendUint(b, flag(h.Seeks, handshakeSeeks))
	return append(b, h.Capability[:]...)
}

// DecodeHandshake reads what [Handshake.Append] writes.
func DecodeHandshake(b []byte) (Handshake, error) {
	d := compact.NewDecoder(b)
	flags := d.Uint()
	h := Handshake{Seeks: flags&handshakeSeeks != 0, Capability: d.Fixed32()}
	return h, finish(typeHandshake, d)
}

// Proves tells, in constant time, whether h shows that its sender knows key. hash is the handshake hash of the stream,
// initiator whether the sender opened the stream. To give nothing away about a core that we do not have, check a
// stranger's handshake against a key of zeros and answer as after a wrong proof.
func (h Handshake) Proves(hash *[64]byte, initiator bool, key keys.Key) bool {
	want := Capability(hash, initiator, key)
	return subtle.ConstantTimeCompare(h.Capability[:], want[:]) == 1
}

// Capability returns what proves on one stream, and for one direction, that its sender knows key: the BLAKE2b-256 of a
// constant for the sender's role and the key, keyed with the handshake hash. It cannot be replayed on another stream, nor
// be sent back as the other side's. initiator is whether the sender opened the stream.
func Capability(hash *[64]byte, initiator bool, key keys.Key) [32]byte {
	role := keys.ReplicateResponder()
	if initiator {
		role = keys.ReplicateInitiator()
	}
	return keys.HashKeyed(hash[:], role[:], key[:])
}

func flag(set bool, f uint64) uint64 {
	if set {
		return f
	}
	return 0
}
