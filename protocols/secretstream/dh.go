package secretstream

import (
	"crypto/sha512"
	"errors"

	"filippo.io/edwards25519"

	"github.com/hypernode/hypernode/core/keys"
)

// errPoint tells that a remote key makes no shared secret.
var errPoint = errors.New("unusable public key")

// dh returns the secret that own shares with the holder of the key remote: the point remote times the clamped scalar of
// own's seed, compressed. It refuses what libsodium's crypto_scalarmult_ed25519_noclamp does: a remote key that is not
// canonical, no point, of small order, or outside the group of prime order.
func dh(own keys.Pair, remote *[32]byte) (secret [32]byte, err error) {
	if !keys.PublicKey(*remote).Valid() {
		return secret, errPoint
	}
	p, err := new(edwards25519.Point).SetBytes(remote[:])
	if err != nil || !inPrimeGroup(p) {
		return secret, errPoint
	}
	seed := own.Seed()
	digest := sha512.Sum512(seed[:])
	scalar, err := new(edwards25519.Scalar).SetBytesWithClamping(digest[:32])
	if err != nil {
		return secret, err
	}
	q := new(edwards25519.Point).ScalarMult(scalar, p)
	if q.Equal(edwards25519.NewIdentityPoint()) == 1 {
		return secret, errPoint
	}
	return [32]byte(q.Bytes()), nil
}

// inPrimeGroup tells whether the order l of the prime group takes p to the neutral point: (l-1)p = -p. p is public, so
// the time may depend on it.
func inPrimeGroup(p *edwards25519.Point) bool {
	zero := edwards25519.NewScalar()
	last := edwards25519.NewScalar().Negate(one())
	q := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(last, p, zero)
	return q.Equal(new(edwards25519.Point).Negate(p)) == 1
}

func one() *edwards25519.Scalar {
	s, _ := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...)) // 1 is canonical
	return s
}
