package keys_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
)

func TestTextRoundTrip(t *testing.T) {
	type all struct {
		Key       keys.Key
		Discovery keys.DiscoveryKey
		Public    keys.PublicKey
	}
	in := all{keys.Key{1, 2}, keys.DiscoveryKey{3, 4}, keys.PublicKey{5, 6}}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out all
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("%s reads back as %+v, %v", b, out, err)
	}
	for name, parsed := range map[string]bool{
		"key": func() bool { k, err := keys.Parse(in.Key.Hex()); return err == nil && k == in.Key }(),
		"discovery key": func() bool {
			k, err := keys.ParseDiscoveryKey(in.Discovery.Hex())
			return err == nil && k == in.Discovery
		}(),
		"public key": func() bool { k, err := keys.ParsePublicKey(in.Public.Hex()); return err == nil && k == in.Public }(),
	} {
		if !parsed {
			t.Errorf("the hexadecimal form of a %s does not parse", name)
		}
	}
	if in.Key.IsZero() || in.Discovery.IsZero() || in.Public.IsZero() {
		t.Error("a key counts as zero")
	}
	if !(keys.Key{}).IsZero() || !(keys.DiscoveryKey{}).IsZero() || !(keys.PublicKey{}).IsZero() {
		t.Error("zero does not count as zero")
	}
}

func TestParseRefuses(t *testing.T) {
	good := keys.Key{9}.String()
	for _, s := range []string{
		"", "pear://", "pear:///" + good, "PEAR://" + good, good + "/path", " " + good, good[:51] + "l", good[:51] + "é",
		strings.ToUpper(good), strings.Repeat("g", 64), "https://" + good, good[:51], good + "y", strings.Repeat("y", 1000),
	} {
		k := keys.Key{7}
		if err := k.UnmarshalText([]byte(s)); !errors.Is(err, keys.ErrKeyText) {
			t.Errorf("%q: %v, want %v", s, err, keys.ErrKeyText)
		} else if len(err.Error()) > 400 {
			t.Errorf("%q: the error has %d characters", s, len(err.Error()))
		}
		if k != (keys.Key{7}) {
			t.Errorf("%q changes the key", s)
		}
	}
	if k, err := keys.Parse("pear://" + good + "/a/b?c"); err != nil || k != (keys.Key{9}) {
		t.Errorf("with a path: %v, %v", k, err)
	}
}

func TestZ32Lengths(t *testing.T) {
	for n := range 40 {
		s := strings.Repeat("y", n)
		b, err := keys.Z32Decode(s)
		if has := n%8 != 1 && n%8 != 3 && n%8 != 6; has != (err == nil) || (err == nil && len(b) != n*5/8) {
			t.Errorf("%d characters: %d bytes, %v", n, len(b), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, id := range load(f).ID {
		for _, a := range id.Accepts {
			f.Add(a[0])
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := keys.Parse(s)
		if err != nil {
			if !errors.Is(err, keys.ErrKeyText) || k != (keys.Key{}) {
				t.Fatalf("Parse(%q) = %v, %v", s, k, err)
			}
			return
		}
		for _, form := range []string{k.String(), k.Hex(), "pear://" + k.String() + "/x"} {
			if again, err := keys.Parse(form); err != nil || again != k {
				t.Fatalf("Parse(%q) = %v, %v, want %v", form, again, err, k)
			}
		}
	})
}

func FuzzZ32(f *testing.F) {
	for _, z := range load(f).Z32 {
		f.Add([]byte(z.Data), z.Z32)
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		if b, err := keys.Z32Decode(keys.Z32Encode(data)); err != nil || !bytes.Equal(b, data) {
			t.Fatalf("%x reads back as %x, %v", data, b, err)
		}
		if b, err := keys.Z32Decode(text); err == nil && len(keys.Z32Encode(b)) != len(text) {
			t.Fatalf("%q decodes to %d bytes", text, len(b))
		}
	})
}

func TestHashAllocates(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		var a, b [32]byte
		a = keys.Hash(a[:], b[:])
		b = keys.Hash(a[:])
		k := keys.Key(b)
		_ = keys.Hash(k[:], []byte("name"))
	}); n != 0 {
		t.Errorf("hashing allocates %v times", n)
	}
	long := make([]byte, 700)
	if keys.Hash(long[:300], long[300:]) != keys.Hash(long) {
		t.Error("long parts hash differently")
	}
}
