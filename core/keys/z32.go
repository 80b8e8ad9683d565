package keys

import (
	"fmt"
	"strings"
)

const z32Alphabet = "ybndrfg8ejkmcpqxot1uwisza345h769"

// Z32Encode returns b in z-base-32: five bits a character, highest bits first, no padding. 32 bytes give 52 characters.
func Z32Encode(b []byte) string { return string(appendZ32(make([]byte, 0, (len(b)*8+4)/5), b)) }

func appendZ32(dst, b []byte) []byte {
	acc, bits := uint32(0), 0
	for _, c := range b {
		acc, bits = acc<<8|uint32(c), bits+8
		for ; bits >= 5; bits -= 5 {
			dst = append(dst, z32Alphabet[acc>>(bits-5)&31])
		}
	}
	if bits > 0 {
		dst = append(dst, z32Alphabet[acc<<(5-bits)&31])
	}
	return dst
}

// Z32Decode reverses [Z32Encode]. The bits of the last character that do not fill a byte are ignored, whatever they
// are. Capital letters, and lengths that no encoding has, give an error that wraps [ErrZ32].
func Z32Decode(s string) ([]byte, error) {
	b, err := appendZ32Decoded(make([]byte, 0, len(s)*5/8), s)
	if err != nil {
		return nil, err
	}
	return b, nil
}

func appendZ32Decoded(dst []byte, s string) ([]byte, error) {
	if len(s)*5%8 >= 5 {
		return nil, fmt.Errorf("%w: %d characters", ErrZ32, len(s))
	}
	acc, bits := uint32(0), 0
	for i := range len(s) {
		v := strings.IndexByte(z32Alphabet, s[i])
		if v < 0 {
			return nil, fmt.Errorf("%w: character %q", ErrZ32, s[i])
		}
		acc, bits = acc<<5|uint32(v), bits+5
		if bits >= 8 {
			bits -= 8
			dst = append(dst, byte(acc>>bits))
		}
	}
	return dst, nil
}
