package core

import (
	"encoding/binary"

	"golang.org/x/crypto/salsa20"

	"github.com/hypernode/hypernode/core/keys"
)

// padding is the number of bytes that encryption puts before each block. Tree sizes include them.
const padding = 8

// Encryption makes blocks unreadable without a key. The zero value is no encryption.
type Encryption struct {
	// Key is the encryption key, 32 bytes. From it and the core's key the block key is derived; a compat core derives it
	// in its own way.
	Key [32]byte
	// Raw takes Key itself as the block key: for one who was given only that.
	Raw bool
}

// IsZero tells that there is no encryption.
func (e Encryption) IsZero() bool { return e == Encryption{} }

// BlockKey returns the key that encrypts the blocks of the core with the given public key. It can be handed to a reader
// who shall read this core and no other under the same encryption key (see Encryption.Raw).
func BlockKey(core keys.Key, encryption [32]byte) [32]byte {
	ns := keys.DefaultEncryption()
	return keys.Hash(ns[:], core[:], encryption[:])
}

// compatBlockKey is BlockKey for a compat core.
func compatBlockKey(core keys.Key, encryption [32]byte) [32]byte {
	return keys.HashKeyed(core[:], encryption[:])
}

// blockCipher encrypts and decrypts the blocks of one core: XSalsa20 with a nonce of index and padding, where the
// padding hides the fork under a key of its own. Integrity comes from the tree alone.
type blockCipher struct{ block, blinding [32]byte }

func newBlockCipher(e Encryption, core keys.Key, compat bool) *blockCipher {
	k := e.Key
	switch {
	case e.Raw:
	case compat:
		k = compatBlockKey(core, e.Key)
	default:
		k = BlockKey(core, e.Key)
	}
	return &blockCipher{block: k, blinding: keys.Hash(k[:])}
}

// seal returns padding and ciphertext of plain, the block index at fork.
func (c *blockCipher) seal(index, fork uint64, plain []byte) []byte {
	out := make([]byte, padding+len(plain))
	var nonce [24]byte
	binary.LittleEndian.PutUint64(nonce[:], index)
	binary.LittleEndian.PutUint64(out, fork)
	salsa20.XORKeyStream(out[:padding], out[:padding], nonce[:], &c.blinding)
	copy(nonce[8:], out[:padding])
	salsa20.XORKeyStream(out[padding:], plain, nonce[:], &c.block)
	return out
}

// open decrypts a stored block in place and returns the plain part of it; ok is false when it is too short to be one.
func (c *blockCipher) open(index uint64, stored []byte) (plain []byte, ok bool) {
	if len(stored) < padding {
		return nil, false
	}
	var nonce [24]byte
	binary.LittleEndian.PutUint64(nonce[:], index)
	copy(nonce[8:], stored[:padding])
	plain = stored[padding:]
	salsa20.XORKeyStream(plain, plain, nonce[:], &c.block)
	return plain, true
}
