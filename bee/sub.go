package bee

import (
	"bytes"
	"slices"
)

// separator ends the prefix of a sub.
const separator = 0

// Sub returns a view of the keys that begin with a prefix and a zero byte, without that. Subs of subs and of versions can
// be made. A sub changes with the bee, and changes it.
//
// A range of a sub without a lower bound leaves out the key "" and the key of one zero byte, as those of other
// implementations do; with GTE set to an empty key it has them.
func (b *Bee) Sub(prefix []byte) *Bee {
	p := append(append(bytes.Clone(b.prefix), prefix...), separator)
	return &Bee{s: b.s, prefix: p, pin: b.pin}
}

// Prefix is the beginning of keys that belong together: names that end in a zero byte each. It is another way to make keys
// than Sub, with the same keys, but its ranges have all of them.
type Prefix []byte

// NewPrefix makes the prefix of a path of names. None gives the empty prefix, which is that of all keys.
func NewPrefix(names ...string) Prefix {
	var p Prefix
	for _, n := range names {
		p = append(append(p, n...), separator)
	}
	return p
}

// Key returns the key of a name.
func (p Prefix) Key(name string) []byte { return append(slices.Clip([]byte(p)), name...) }

// Trim returns the name of a key, and whether it has the prefix.
func (p Prefix) Trim(key []byte) (name []byte, ok bool) { return bytes.CutPrefix(key, p) }

// Range turns bounds of names into bounds of keys. Where there is none, the first and the last key with the prefix are.
func (p Prefix) Range(r Range) Range {
	for _, bound := range []*[]byte{&r.GT, &r.GTE, &r.LT, &r.LTE} {
		if *bound != nil {
			*bound = p.Key(string(*bound))
		}
	}
	if len(p) == 0 {
		return r
	}
	if r.GT == nil && r.GTE == nil {
		r.GTE = bytes.Clone(p)
	}
	if r.LT == nil && r.LTE == nil {
		r.LT = after(p)
	}
	return r
}
