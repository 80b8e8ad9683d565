package datastore

import (
	"bytes"
	"slices"
	"testing"

	ds "github.com/ipfs/go-datastore"
)

func FuzzKeyUint(f *testing.F) {
	for shift := 0; shift < 64; shift += 6 {
		f.Add(uint64(1)<<shift, uint64(1)<<shift-1, uint64(shift))
	}
	f.Add(uint64(0), uint64(1<<64-1), uint64(63))
	f.Fuzz(func(t *testing.T, a, b, c uint64) {
		g := Group('u').Item()
		ka, kb := g.Uint(a).Uint(c), g.Uint(b).Uint(c)
		if got, want := bytes.Compare(ka, kb), compareUints(a, b); got != want {
			t.Errorf("%d and %d compare as %d, their keys %s and %s as %d", a, b, want, ka, kb, got)
		}
		got, rest, ok := ParseUint(ka[len(g):])
		if !ok || got != a {
			t.Errorf("%d is read as %d, %v", a, got, ok)
		}
		if got, rest, ok := ParseUint(rest); !ok || got != c || len(rest) != 0 {
			t.Errorf("%d behind it is read as %d, %v, rest %q", c, got, ok, rest)
		}
		checkForm(t, ka)
	})
}

func compareUints(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func FuzzKeyBytes(f *testing.F) {
	f.Add([]byte(nil), []byte{0})
	f.Add([]byte{0}, []byte{0, 0})
	f.Add([]byte{0xff, 0xff}, []byte{0xff, 0xff, 0})
	f.Add([]byte("a/../b"), []byte("a"))
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	f.Add(all, all[1:])
	f.Fuzz(func(t *testing.T, a, b []byte) {
		g := Group('b').Item().Kind('x')
		ka, kb := g.Bytes(a), g.Bytes(b)
		if got, want := bytes.Compare(ka, kb), bytes.Compare(a, b); got != want {
			t.Errorf("%x and %x compare as %d, their keys as %d", a, b, want, got)
		}
		if got, ok := ParseBytes(ka[len(g):]); !ok || !bytes.Equal(got, a) {
			t.Errorf("%x is read as %x, %v", a, got, ok)
		}
		checkForm(t, ka)
	})
}

// checkForm checks that no datastore changes a key.
func checkForm(t *testing.T, k Key) {
	t.Helper()
	if err := k.check(); err != nil {
		t.Error(err)
	}
	if clean := ds.NewKey(string(k)).String(); clean != string(k) {
		t.Errorf("%s is cleaned to %s", k, clean)
	}
	if bytes.Count(k, []byte{'/'}) != 2 || bytes.IndexByte(k, '.') >= 0 || slices.ContainsFunc(k, func(c byte) bool { return c < ' ' || c > '~' }) {
		t.Errorf("%q has another form", k)
	}
	if k.End().check() == nil && bytes.Compare(k.End(), k) <= 0 {
		t.Errorf("the end of %s is %s", k, k.End())
	}
	if b := blockKey(k); !bytes.Equal(unblockKey(b), k) {
		t.Errorf("the block %s is read as %s", k, unblockKey(b))
	}
}

// FuzzParse: what is read is what would be written.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "-", "0", "0-", "00", "1--", "1-0", "A", "AEzzzzzzzzzz", "AFzzzzzzzzzz", "Bzzzzzzzzzzzz", "--", "z", "zz", "zzzz"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if n, rest, ok := ParseUint(text); ok {
			if again := append(Key(nil).Uint(n), rest...); !bytes.Equal(again, text) {
				t.Errorf("ParseUint takes %q, which is %q", text, again)
			}
		}
		if b, ok := ParseBytes(text); ok {
			if again := Key(nil).Bytes(b); !bytes.Equal(again, text) {
				t.Errorf("ParseBytes takes %q, which is %q", text, again)
			}
		}
		if k := Key(text); k.check() == nil {
			checkForm(t, k)
		}
		_ = checkRange(text, text)
	})
}

// TestKeysAreApart: keys that begin with the same key do not share its memory.
func TestKeysAreApart(t *testing.T) {
	g := Group('a').Uint(1 << 30).Item()
	a, b, c, d := g.Uint(1), g.Uint(2), g.Kind('x'), g.Bytes([]byte{1})
	if bytes.Equal(a, b) || !bytes.HasSuffix(c, []byte("/x")) || bytes.Equal(c, d) {
		t.Errorf("keys %s %s %s %s", a, b, c, d)
	}
}
