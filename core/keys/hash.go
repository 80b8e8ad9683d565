package keys

import (
	"fmt"

	"golang.org/x/crypto/blake2b"
)

// Hash returns the unkeyed BLAKE2b-256 of the parts, one after the other. One part, or several of at most 512 bytes
// together, are hashed without an allocation; more are copied together first.
func Hash(parts ...[]byte) [32]byte {
	if len(parts) == 1 {
		return blake2b.Sum256(parts[0])
	}
	var buf [512]byte
	return blake2b.Sum256(concat(buf[:0], parts))
}

// HashKeyed returns the BLAKE2b-256 of the parts, one after the other, with key as the BLAKE2b key: 32 or 64 bytes of a
// fixed-size value. The algorithm has no longer keys; one of more than 64 bytes is a mistake in the program and panics.
func HashKeyed(key []byte, parts ...[]byte) (sum [32]byte) {
	h, err := blake2b.New256(key)
	if err != nil {
		panic(fmt.Sprintf("keys: BLAKE2b key of %d bytes", len(key)))
	}
	h.Write(concat(nil, parts)) // never fails
	h.Sum(sum[:0])
	return sum
}

// concat copies, so that the parts stay on their owners' stacks.
func concat(b []byte, parts [][]byte) []byte {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// Namespace returns n constants that belong to name: number i is the hash of H(name) followed by the byte i. There are
// at most 256.
func Namespace(name string, n int) [][32]byte {
	ids := make([]byte, min(max(n, 0), 256))
	for i := range ids {
		ids[i] = byte(i)
	}
	return NamespaceIDs(name, ids)
}

// NamespaceIDs returns the constants of name with the given numbers.
func NamespaceIDs(name string, ids []byte) [][32]byte {
	base := Hash([]byte(name))
	out := make([][32]byte, len(ids))
	for i, id := range ids {
		out[i] = Hash(base[:], []byte{id})
	}
	return out
}
