package secretstream

import (
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/hypernode/hypernode/core/keys"
)

const (
	noiseProtocol = "Noise_XX_Ed25519_ChaChaPoly_BLAKE2b"

	keyBytes  = 32
	tagBytes  = 16
	hashBytes = 64

	// The lengths of the three messages: e; e, s and the payload's tag; s and the payload's tag.
	message1Bytes = keyBytes
	message2Bytes = keyBytes + keyBytes + tagBytes + tagBytes
	message3Bytes = keyBytes + tagBytes + tagBytes
)

// noise is one side of a handshake: the symmetric state of the Noise framework and the four keys. Each message is made by
// a function that stands beside the one that reads it; they must be called in turn.
type noise struct {
	hash  [hashBytes]byte // of all that was said so far
	chain [hashBytes]byte
	aead  cipher.AEAD // nil until the first shared secret
	nonce uint64

	static, ephemeral             keys.Pair
	remoteStatic, remoteEphemeral [keyBytes]byte
}

func newNoise(static, ephemeral keys.Pair) *noise {
	x := &noise{static: static, ephemeral: ephemeral}
	copy(x.hash[:], noiseProtocol) // shorter than a hash: padded with zeros
	x.chain = x.hash
	x.mixHash(nil) // the prologue is empty, and mixed nevertheless
	return x
}

// write1 returns the first message, of the initiator: e.
func (x *noise) write1() []byte {
	b := x.appendEphemeral(nil)
	x.mixHash(nil) // the payload, which is not encrypted yet
	return b
}

// read1 reads what write1 makes.
func (x *noise) read1(b []byte) error {
	if len(b) != message1Bytes {
		return handshakeError("message 1 has %d bytes", len(b))
	}
	x.readEphemeral(b)
	x.mixHash(nil)
	return nil
}

// write2 returns the second message, of the responder: e, ee, s, es.
func (x *noise) write2() ([]byte, error) {
	b := x.appendEphemeral(nil)
	if err := x.mixDH(x.ephemeral, &x.remoteEphemeral); err != nil {
		return nil, err
	}
	b = x.appendSealed(b, x.static.Public[:])
	if err := x.mixDH(x.static, &x.remoteEphemeral); err != nil {
		return nil, err
	}
	return x.appendSealed(b, nil), nil
}

// read2 reads what write2 makes.
func (x *noise) read2(b []byte) error {
	if len(b) != message2Bytes {
		return handshakeError("message 2 has %d bytes", len(b))
	}
	b = x.readEphemeral(b)
	if err := x.mixDH(x.ephemeral, &x.remoteEphemeral); err != nil {
		return err
	}
	if err := x.openStatic(b[:keyBytes+tagBytes]); err != nil {
		return err
	}
	if err := x.mixDH(x.ephemeral, &x.remoteStatic); err != nil {
		return err
	}
	_, err := x.open(b[keyBytes+tagBytes:])
	return err
}

// write3 returns the third message, of the initiator: s, se.
func (x *noise) write3() ([]byte, error) {
	b := x.appendSealed(nil, x.static.Public[:])
	if err := x.mixDH(x.static, &x.remoteEphemeral); err != nil {
		return nil, err
	}
	return x.appendSealed(b, nil), nil
}

// read3 reads what write3 makes.
func (x *noise) read3(b []byte) error {
	if len(b) != message3Bytes {
		return handshakeError("message 3 has %d bytes", len(b))
	}
	if err := x.openStatic(b[:keyBytes+tagBytes]); err != nil {
		return err
	}
	if err := x.mixDH(x.ephemeral, &x.remoteStatic); err != nil {
		return err
	}
	_, err := x.open(b[keyBytes+tagBytes:])
	return err
}

// split returns, after the last message, the keys of the initiator's and of the responder's direction.
func (x *noise) split() (initiator, responder [keyBytes]byte) {
	k1, k2 := hkdf(&x.chain, nil)
	return [keyBytes]byte(k1[:]), [keyBytes]byte(k2[:])
}

func (x *noise) appendEphemeral(b []byte) []byte {
	x.mixHash(x.ephemeral.Public[:])
	return append(b, x.ephemeral.Public[:]...)
}

func (x *noise) readEphemeral(b []byte) (rest []byte) {
	x.remoteEphemeral = [keyBytes]byte(b)
	x.mixHash(b[:keyBytes])
	return b[keyBytes:]
}

func (x *noise) openStatic(b []byte) error {
	key, err := x.open(b)
	if err == nil {
		x.remoteStatic = [keyBytes]byte(key)
	}
	return err
}

func (x *noise) mixHash(data []byte) {
	h := newHash()
	h.Write(x.hash[:])
	h.Write(data)
	h.Sum(x.hash[:0])
}

// mixDH takes a shared secret into the chain: it is the key from here on.
func (x *noise) mixDH(own keys.Pair, remote *[keyBytes]byte) error {
	secret, err := dh(own, remote)
	if err != nil {
		return handshakeError("%w", err)
	}
	chain, key := hkdf(&x.chain, secret[:])
	x.chain, x.nonce = chain, 0
	if x.aead, err = chacha20poly1305.New(key[:keyBytes]); err != nil {
		return handshakeError("%w", err)
	}
	return nil
}

func (x *noise) appendSealed(b, plain []byte) []byte {
	from := len(b)
	b = x.aead.Seal(b, x.nextNonce(), plain, x.hash[:])
	x.mixHash(b[from:])
	return b
}

func (x *noise) open(sealed []byte) ([]byte, error) {
	plain, err := x.aead.Open(nil, x.nextNonce(), sealed, x.hash[:])
	if err != nil {
		return nil, handshakeError("%w", err)
	}
	x.mixHash(sealed)
	return plain, nil
}

// nextNonce is 4 zero bytes and the counter.
func (x *noise) nextNonce() []byte {
	n := binary.LittleEndian.AppendUint64(make([]byte, 4, chacha20poly1305.NonceSize), x.nonce)
	x.nonce++
	return n
}

// newHash is BLAKE2b-512, with blocks of 128 bytes.
func newHash() hash.Hash {
	h, _ := blake2b.New512(nil) // fails only for a long key
	return h
}

// hkdf derives two outputs from a chaining key and input, as the Noise framework defines it.
func hkdf(chain *[hashBytes]byte, input []byte) (first, second [hashBytes]byte) {
	temp := mac(chain[:], input)
	first = mac(temp[:], []byte{1})
	second = mac(temp[:], append(first[:], 2))
	return first, second
}

func mac(key, data []byte) (sum [hashBytes]byte) {
	m := hmac.New(newHash, key)
	m.Write(data)
	m.Sum(sum[:0])
	return sum
}
