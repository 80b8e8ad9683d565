package keys

import "crypto/ed25519"

// Verify tells whether sig is a signature of msg by pub. It is as strict as libsodium, which other peers use, so that
// no peer is shown a signature that another one refuses:
//
//   - the signature has 64 bytes, and its second half S is below the order of the group;
//   - the public key is the one canonical encoding of its point;
//   - neither the public key nor the first half R of the signature is a point of small order. Under such a key anyone
//     can make signatures; with such an R a signer can make one that fits several messages.
func Verify(pub PublicKey, msg, sig []byte) bool {
	if len(sig) != ed25519.SignatureSize || !pub.Valid() || smallOrder((*[32]byte)(sig)) {
		return false
	}
	return ed25519.Verify(pub[:], msg, sig)
}

// Valid tells whether k may be a signer's key: it is encoded canonically and is not of small order. Whether it is a
// point of the curve at all shows when a signature is checked.
func (k PublicKey) Valid() bool { return canonical((*[32]byte)(&k)) && !smallOrder((*[32]byte)(&k)) }

// canonical tells whether the y coordinate, the lower 255 bits in little-endian order, is below the prime 2^255-19.
func canonical(k *[32]byte) bool {
	if k[0] < 0xed || k[31]&0x7f != 0x7f {
		return true
	}
	for _, b := range k[1:31] {
		if b != 0xff {
			return true
		}
	}
	return false
}

// The y coordinates of the eight points whose order divides 8, in little-endian order: 0 (order 4), 1 (the neutral
// point), -1 (order 2), and the two of order 8; then those below 19 once more, plus the prime: not canonical.
const (
	zeros30 = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	ones30  = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

	y0  = "\x00" + zeros30 + "\x00"
	y1  = "\x01" + zeros30 + "\x00"
	y2  = "\xec" + ones30 + "\x7f"
	y8a = "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0" +
		"\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"
	y8b = "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f" +
		"\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a"
	y0p = "\xed" + ones30 + "\x7f"
	y1p = "\xee" + ones30 + "\x7f"
)

// smallOrder tells whether k encodes, canonically or not, a point whose order divides 8. Only the y coordinate counts,
// the sign of x does not.
func smallOrder(k *[32]byte) bool {
	y := *k
	y[31] &= 0x7f
	switch string(y[:]) {
	case y0, y1, y2, y8a, y8b, y0p, y1p:
		return true
	}
	return false
}
