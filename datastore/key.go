package datastore

import (
	"bytes"
	"fmt"
)

// Key names a record or a block: "/group/item". Group and item are texts over an alphabet of 64 characters that sort
// as what they encode, so keys of one group sort by their parts, and no datastore cleans or rewrites them: they hold
// no ".", no control byte and no "/" but the two. Neither may be empty, and a group begins with a letter or digit. A
// scan stays within one group.
//
// Build a key with Group and the methods that append; each returns a longer key of its own, so one key may begin many.
type Key []byte

// alphabet holds 64 characters in ascending order of their bytes.
const alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

// Groups that no caller's key can begin with, since they begin with neither a letter nor a digit.
const (
	ownGroup   = '-' // the store's own records
	blockGroup = '_' // blocks, in an engine that does not keep them apart: "/a/b" is the record "/_a/b"
)

// Group begins a key with the group's kind, a letter or digit.
func Group(kind byte) Key { return Key{'/', kind} }

// Item ends the group; what follows is the item.
func (k Key) Item() Key { return append(k[:len(k):len(k)], '/') }

// Kind appends a letter or digit.
func (k Key) Kind(c byte) Key { return append(k[:len(k):len(k)], c) }

// Uint appends n so that keys sort by it: a character for the number of digits, then the digits. It delimits itself.
func (k Key) Uint(n uint64) Key {
	count := 0
	for m := n; m > 0; m >>= 6 {
		count++
	}
	k = append(make(Key, 0, len(k)+1+count), k...)
	k = append(k, alphabet[count])
	for i := count - 1; i >= 0; i-- {
		k = append(k, alphabet[n>>(6*i)&63])
	}
	return k
}

// Bytes appends b so that keys sort by it. It does not delimit itself: what follows must be of a group where b has one
// length, or nothing may follow.
func (k Key) Bytes(b []byte) Key {
	k = append(make(Key, 0, len(k)+(len(b)*8+5)/6), k...)
	acc, bits := uint(0), 0
	for _, c := range b {
		acc, bits = acc<<8|uint(c), bits+8
		for bits >= 6 {
			bits -= 6
			k = append(k, alphabet[acc>>bits&63])
		}
	}
	if bits > 0 {
		k = append(k, alphabet[acc<<(6-bits)&63])
	}
	return k
}

// End returns the smallest key above all keys that begin with k, which must not be empty.
func (k Key) End() Key {
	e := bytes.Clone(k)
	e[len(e)-1]++ // never overflows: the last byte is a character of the alphabet or "/"
	return e
}

// String returns the key as it is stored.
func (k Key) String() string { return string(k) }

// prefix returns the key up to the "/" behind the group, or nil when there is none.
func (k Key) prefix() Key {
	if len(k) < 3 || k[0] != '/' {
		return nil
	}
	return k[:bytes.IndexByte(k[1:], '/')+2]
}

// check tells whether k can name a record or a block.
func (k Key) check() error {
	p := k.prefix()
	if len(p) < 3 || len(p) == len(k) || k[1] == ownGroup || k[1] == blockGroup || !inAlphabet(p[1:len(p)-1]) || !inAlphabet(k[len(p):]) {
		return fmt.Errorf("%w: %q", ErrKey, k)
	}
	return nil
}

// checkRange tells whether lo and hi bound a range within one group.
func checkRange(lo, hi Key) error {
	p := lo.prefix()
	if len(p) < 3 || !inAlphabet(p[1:len(p)-1]) || p[1] == ownGroup || p[1] == blockGroup || (!bytes.HasPrefix(hi, p) && !bytes.Equal(hi, p.End())) {
		return fmt.Errorf("%w: range from %q to %q is not within a group", ErrKey, lo, hi)
	}
	return nil
}

func inAlphabet(text []byte) bool {
	for _, c := range text {
		if digits[c] == 0 {
			return false
		}
	}
	return true
}

// blockKey is the key of the record that holds the block k in an engine that does not keep blocks apart.
func blockKey(k Key) Key {
	b := make(Key, 0, len(k)+1)
	return append(append(b, '/', blockGroup), k[1:]...)
}

// unblockKey undoes blockKey in a copy.
func unblockKey(k []byte) Key { return append(Key{'/'}, k[2:]...) }

// ParseUint reads what Uint appended and returns the rest of the text. It takes no other form of a number than that.
func ParseUint(text []byte) (n uint64, rest []byte, ok bool) {
	if len(text) == 0 {
		return 0, nil, false
	}
	count := digit(text[0])
	if count < 0 || count > 11 || len(text) < 1+count {
		return 0, nil, false
	}
	for _, c := range text[1 : 1+count] {
		d := digit(c)
		if d < 0 || n > (1<<64-1)>>6 || n == 0 && d == 0 {
			return 0, nil, false
		}
		n = n<<6 | uint64(d)
	}
	return n, text[1+count:], true
}

// ParseBytes reads what Bytes appended, and no other text.
func ParseBytes(text []byte) (b []byte, ok bool) {
	acc, bits := uint(0), 0
	b = make([]byte, 0, len(text)*6/8)
	for _, c := range text {
		d := digit(c)
		if d < 0 {
			return nil, false
		}
		acc, bits = acc<<6|uint(d), bits+6
		if bits >= 8 {
			bits -= 8
			b = append(b, byte(acc>>bits))
		}
	}
	if bits == 6 || acc&(1<<bits-1) != 0 {
		return nil, false
	}
	return b, true
}

func digit(c byte) int { return int(digits[c]) - 1 }

// digits maps a character of the alphabet to its place plus one.
var digits = func() (d [256]uint8) {
	for i := range alphabet {
		d[alphabet[i]] = uint8(i + 1)
	}
	return d
}()
