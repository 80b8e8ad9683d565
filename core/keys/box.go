package keys

import (
	"crypto/rand"
	"crypto/sha512"
	"fmt"

	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/nacl/box"
)

// A BoxKey is the X25519 public key that a message is sealed for.
type BoxKey [32]byte

// A BoxPair opens what was sealed for its public key. Like a [Pair] it prints without its secret.
type BoxPair struct {
	Public BoxKey

	secret *boxSecret // nil without one
}

type boxSecret struct{ key *[32]byte } // two pointers away, as in Pair

// EncryptionPair returns the X25519 pair that belongs to s: its secret is the first half of the SHA-512 of s.
// Replication does not use it; it serves applications that send messages to the holder of a key.
func EncryptionPair(s Seed) (p BoxPair) {
	sum := sha512.Sum512(s[:])
	key := [32]byte(sum[:32])
	p.secret = &boxSecret{&key}
	curve25519.ScalarBaseMult((*[32]byte)(&p.Public), &key)
	return p
}

// Seal returns msg encrypted for the holder of pub, 48 bytes longer, so that nobody else, not even the sender, can open
// it. It says nothing about who the sender is. A pub of small order, for which everybody could open the box, gives
// [ErrBoxKey]; otherwise it fails only when the system has no randomness.
func Seal(pub BoxKey, msg []byte) ([]byte, error) {
	if !boxKeyIsSafe(pub[:]) {
		return nil, ErrBoxKey
	}
	out, err := box.SealAnonymous(nil, msg, (*[32]byte)(&pub), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("sealing a box: %w", err)
	}
	return out, nil
}

// Open returns the message of a sealed box, or [ErrBox].
func (p BoxPair) Open(sealed []byte) ([]byte, error) {
	if p.secret == nil || len(sealed) < box.AnonymousOverhead || !boxKeyIsSafe(sealed[:32]) {
		return nil, ErrBox
	}
	msg, ok := box.OpenAnonymous(nil, sealed, (*[32]byte)(&p.Public), p.secret.key)
	if !ok {
		return nil, ErrBox
	}
	return msg, nil
}

// boxKeyIsSafe tells whether pub is of large order: X25519 scalars are multiples of 8, so any of them shows it.
func boxKeyIsSafe(pub []byte) bool {
	_, err := curve25519.X25519(make([]byte, 32), pub)
	return err == nil
}

// Secret returns the bare X25519 secret; see [Pair.Secret] for the care it needs.
func (p BoxPair) Secret() [32]byte {
	if p.secret == nil {
		return [32]byte{}
	}
	return *p.secret.key
}
