package keys

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// textLen and hexLen are the lengths of the two text forms of 32 bytes.
const (
	textLen = 52
	hexLen  = 64
)

// scheme may stand before a key's text form; what follows the key's first slash is then a path and is ignored.
const scheme = "pear://"

// Parse reads the text form of a core's key: 52 characters of lower-case z-base-32, or 64 of hexadecimal in any case,
// alone or as pear://KEY with an optional path behind. Other URL schemes are not accepted. The error wraps [ErrKeyText].
func Parse(s string) (Key, error) { return parse[Key](s) }

// ParseDiscoveryKey reads the text form of a discovery key, as [Parse] does for a key.
func ParseDiscoveryKey(s string) (DiscoveryKey, error) { return parse[DiscoveryKey](s) }

// ParsePublicKey reads the text form of a signer's public key, as [Parse] does for a core's key.
func ParsePublicKey(s string) (PublicKey, error) { return parse[PublicKey](s) }

func parse[K ~[32]byte](text string) (k K, err error) {
	s := text
	if rest, ok := strings.CutPrefix(text, scheme); ok {
		s, _, _ = strings.Cut(rest, "/")
	}
	var b []byte
	switch len(s) {
	case textLen:
		b, err = appendZ32Decoded(make([]byte, 0, 32), s)
	case hexLen:
		b, err = hex.DecodeString(s)
	default:
		err = fmt.Errorf("%d characters", len(s))
	}
	if err != nil {
		return k, fmt.Errorf("%.80q (%w): %w", text, err, ErrKeyText)
	}
	copy(k[:], b)
	return k, nil
}

func format(k *[32]byte) string {
	var buf [textLen]byte
	return string(appendZ32(buf[:0], k[:]))
}
