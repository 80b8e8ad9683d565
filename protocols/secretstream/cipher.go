package secretstream

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"
	//lint:ignore SA1019 the MAC of a secretstream has a padding of its own, which no AEAD of the library has
	"golang.org/x/crypto/poly1305" //nolint:staticcheck // see above
)

const (
	headerBytes = 24 // from which a cipher starts
	overhead    = 17 // of a message: an encrypted tag and the MAC
	blockBytes  = 64 // of the key stream

	// room is how many bytes before a frame's body a box overwrites for a while.
	room = blockBytes - 1

	tagMessage = 0
	tagRekey   = 2 // a bit of the tag: the key changes after this message
)

// box is one direction of libsodium's secretstream: messages that open only in order.
type box struct {
	key   [keyBytes]byte
	nonce [chacha20poly1305.NonceSize]byte // a counter of 4 bytes, and 8 bytes that each MAC changes
	aead  cipher.AEAD                      // of key
}

// newBox starts a direction with the key from the handshake and the random header that its sender chose.
func newBox(key *[keyBytes]byte, header *[headerBytes]byte) (*box, error) {
	sub, err := chacha20.HChaCha20(key[:], header[:16])
	if err != nil {
		return nil, err
	}
	s := &box{key: [keyBytes]byte(sub)}
	copy(s.nonce[4:], header[16:])
	return s, s.restart()
}

// restart takes up a new key, from which on the counter begins at 1.
func (s *box) restart() (err error) {
	binary.LittleEndian.PutUint32(s.nonce[:], 1)
	s.aead, err = chacha20poly1305.New(s.key[:])
	return err
}

// seal appends msg as a body: the encrypted tag, the encrypted message, the MAC. b must hold at least room bytes.
//
// The key stream is: block 0, whose first half is the key of the MAC; block 1, over the tag and 63 zeros, of which only
// the tag is sent; then the message. From block 1 on that is what the AEAD does to those 64 bytes and the message, several
// times as fast as the bare stream cipher. It is done in place, on the end of b, which is put back; the AEAD's own tag
// falls where the MAC will be.
func (s *box) seal(b, msg []byte) ([]byte, error) {
	return s.sealTag(b, msg, tagMessage)
}

func (s *box) sealTag(b, msg []byte, tag byte) ([]byte, error) {
	at := len(b)
	b = slices.Grow(b, overhead+len(msg))[:at+1+len(msg)]
	copy(b[at+1:], msg)
	text := b[at-room:]
	saved := [room]byte(text)
	clear(text[:blockBytes])
	text[0] = tag
	var blocks [blockBytes / 2]byte
	if err := s.keyStream(blocks[:]); err != nil {
		return nil, err
	}
	s.aead.Seal(text[:0], s.nonce[:], text, nil)
	mac := authenticate((*[32]byte)(blocks[:]), text)
	sealed := text[0]
	copy(text, saved[:])
	b[at] = sealed
	return append(b, mac[:]...), s.advance(&mac, tag)
}

// open returns the message of the body b[at:], in place. The room bytes before at are overwritten.
func (s *box) open(b []byte, at int) ([]byte, error) {
	return s.openTo(b[max(at-room, 0):], b, at)
}

// openTo returns the message of the body b[at:], in dst behind room and a byte. dst is b[at-room:], or memory of at least that
// length elsewhere. The room bytes before at are overwritten.
func (s *box) openTo(dst, b []byte, at int) ([]byte, error) {
	body := b[at:]
	if len(body) < overhead {
		return nil, ErrFrame
	}
	var blocks [2 * blockBytes]byte
	if err := s.keyStream(blocks[:]); err != nil {
		return nil, err
	}
	end := len(body) - tagBytes
	tag := body[0] ^ blocks[blockBytes]
	blocks[blockBytes] = body[0]
	text := b[at-room : at+end]
	copy(text, blocks[blockBytes:])
	mac := authenticate((*[32]byte)(blocks[:]), text)
	if subtle.ConstantTimeCompare(mac[:], body[end:]) != 1 {
		return nil, ErrAuth
	}
	s.aead.Seal(dst[:0], s.nonce[:], text, nil)
	return dst[blockBytes:len(text):len(text)], s.advance(&mac, tag)
}

// keyStream fills zeros with the key stream from block 0 on.
func (s *box) keyStream(zeros []byte) error {
	c, err := chacha20.NewUnauthenticatedCipher(s.key[:], s.nonce[:])
	if err == nil {
		c.XORKeyStream(zeros, zeros)
	}
	return err
}

// authenticate returns the MAC of text, which is the block of the tag and the encrypted message. The message is followed
// by as many zeros as it is longer than a multiple of 16, which is not a padding to 16, but what libsodium does; then by
// the lengths of the additional data, of which there are none, and of text.
func authenticate(key *[32]byte, text []byte) (sum [tagBytes]byte) {
	var end [15 + 16]byte
	n := len(text) % 16
	binary.LittleEndian.PutUint64(end[n+8:], uint64(len(text)))
	m := poly1305.New(key)
	m.Write(text)
	m.Write(end[:n+16])
	m.Sum(sum[:0])
	return sum
}

// advance makes the nonce of the next message, and the next key when it is time.
func (s *box) advance(mac *[tagBytes]byte, tag byte) error {
	subtle.XORBytes(s.nonce[4:], s.nonce[4:], mac[:8])
	counter := binary.LittleEndian.Uint32(s.nonce[:]) + 1
	binary.LittleEndian.PutUint32(s.nonce[:], counter)
	if counter != 0 && tag&tagRekey == 0 {
		return nil
	}
	next := slices.Concat(s.key[:], s.nonce[4:])
	if err := s.keyStream(next); err != nil {
		return err
	}
	copy(s.key[:], next)
	copy(s.nonce[4:], next[keyBytes:])
	return s.restart()
}
