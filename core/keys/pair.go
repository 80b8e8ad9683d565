package keys

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
)

// A Pair is a signer's key pair. It prints as its public key alone. The zero Pair has no secret: [Pair.IsZero].
type Pair struct {
	// Public is what others check signatures with.
	Public PublicKey

	secret *secret // nil without one
}

// A secret keeps bytes from being printed. For unexported fields of other structs fmt asks no method, and for a verb
// that does not fit it even follows one pointer; it never follows a second.
type secret struct{ key *[64]byte }

// NewPair returns a random pair. It fails only when the system has no randomness.
func NewPair() (Pair, error) {
	seed, err := random()
	if err != nil {
		return Pair{}, err
	}
	return PairFromSeed(seed), nil
}

// PairFromSeed returns the pair that belongs to s, always the same.
func PairFromSeed(s Seed) Pair {
	key := ed25519.NewKeyFromSeed(s[:])
	return Pair{Public: PublicKey(key[32:]), secret: &secret{(*[64]byte)(key)}}
}

// PairFromSecret returns the pair of a secret key of 64 bytes, the seed followed by the public key, as [Pair.Secret]
// gives it. Another length gives [ErrKeyLength], a public half that does not follow from the seed [ErrKeyHalves]:
// signing with such a key would give the secret away.
func PairFromSecret(key []byte) (Pair, error) {
	if len(key) != ed25519.PrivateKeySize {
		return Pair{}, fmt.Errorf("%w, not %d", ErrKeyLength, len(key))
	}
	p := PairFromSeed(Seed(key[:32]))
	if !bytes.Equal(p.Public[:], key[32:]) {
		return Pair{}, ErrKeyHalves
	}
	return p, nil
}

// IsZero tells whether p has no secret, so that it cannot sign.
func (p Pair) IsZero() bool { return p.secret == nil }

// Sign returns the Ed25519 signature of msg. Without a secret it returns zeros, which verify under no key.
func (p Pair) Sign(msg []byte) (sig [64]byte) {
	if p.secret != nil {
		copy(sig[:], ed25519.Sign(p.secret.key[:], msg))
	}
	return sig
}

// Seed returns the secret that p was made from, zeros without one.
func (p Pair) Seed() (s Seed) {
	if p.secret != nil {
		copy(s[:], p.secret.key[:])
	}
	return s
}

// Secret returns the bare secret key, the seed followed by the public key. It is for writing the key to a file that
// only its owner can read: unlike everything else here, the bytes print as they are.
func (p Pair) Secret() (key [64]byte) {
	if p.secret != nil {
		key = *p.secret.key
	}
	return key
}

// String returns the public key and says that the secret is redacted.
func (p Pair) String() string { return p.Public.String() + " (secret " + redacted + ")" }

// GoString returns what [Pair.String] returns.
func (p Pair) GoString() string { return p.String() }

// Format writes what [Pair.String] returns for every verb.
func (p Pair) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue returns the public key.
func (p Pair) LogValue() slog.Value { return slog.StringValue(p.Public.String()) }

// MarshalText returns the public key.
func (p Pair) MarshalText() ([]byte, error) { return p.Public.MarshalText() }
