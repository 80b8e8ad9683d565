package secretstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"filippo.io/edwards25519"

	"github.com/hypernode/hypernode/core/keys"
)

func boxes(t testing.TB) (tx, rx *box) {
	t.Helper()
	key, header := [keyBytes]byte{1}, [headerBytes]byte{2}
	tx, err := newBox(&key, &header)
	must(t, err)
	rx, err = newBox(&key, &header)
	must(t, err)
	return tx, rx
}

func padded(b ...byte) []byte { return append(make([]byte, room), b...) }

// The key changes when the counter is used up, and after a message that asks for it.
func TestRekey(t *testing.T) {
	tx, rx := boxes(t)
	for _, s := range []*box{tx, rx} {
		binary.LittleEndian.PutUint32(s.nonce[:], 1<<32-2)
	}
	first := tx.key
	for i := range 4 {
		b, err := tx.seal(padded(), []byte{byte(i)})
		must(t, err)
		if got, err := rx.open(b, room); err != nil || !bytes.Equal(got, []byte{byte(i)}) {
			t.Fatalf("message %d: %x, %v", i, got, err)
		}
		if changed := tx.key != first; changed != (i >= 1) {
			t.Errorf("message %d: the key has changed: %v", i, changed)
		}
	}
	before := tx.key
	b, err := tx.sealTag(padded(), []byte("x"), tagRekey)
	must(t, err)
	_, err = rx.open(b, room)
	must(t, err)
	if tx.key == before || tx.key != rx.key || tx.nonce != rx.nonce || binary.LittleEndian.Uint32(tx.nonce[:]) != 1 {
		t.Error("the two sides do not change the key alike")
	}
}

func TestOpenRefuses(t *testing.T) {
	tx, _ := boxes(t)
	sealed, err := tx.seal(padded(), []byte("message"))
	must(t, err)
	for i := room; i < len(sealed); i++ {
		_, rx := boxes(t)
		b := bytes.Clone(sealed)
		b[i] ^= 0x10
		if _, err := rx.open(b, room); !errors.Is(err, ErrAuth) {
			t.Errorf("byte %d changed: %v", i-room, err)
		}
	}
	for n := range overhead {
		_, rx := boxes(t)
		if _, err := rx.open(make([]byte, room+n), room); !errors.Is(err, ErrFrame) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	second, err := tx.seal(padded(), []byte("second"))
	must(t, err)
	_, rx := boxes(t)
	if _, err := rx.open(second, room); !errors.Is(err, ErrAuth) {
		t.Errorf("out of order: %v", err)
	}
}

// lowOrder returns a point of order 8.
func lowOrder(t *testing.T) *edwards25519.Point {
	t.Helper()
	enc := []byte("\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05")
	p, err := new(edwards25519.Point).SetBytes(enc)
	must(t, err)
	return p
}

func TestDHRefuses(t *testing.T) {
	own := keys.PairFromSeed([32]byte{3})
	good := keys.PairFromSeed([32]byte{4}).Public
	p, err := new(edwards25519.Point).SetBytes(good[:])
	must(t, err)
	mixed := new(edwards25519.Point).Add(p, lowOrder(t))
	noPoint := [32]byte{2}
	for name, key := range map[string][32]byte{
		"zero":                  {},
		"neutral":               {1},
		"order 8":               [32]byte(lowOrder(t).Bytes()),
		"outside the group":     [32]byte(mixed.Bytes()),
		"no point":              noPoint,
		"not canonical":         [32]byte(append([]byte{0xf0}, append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...)),
		"not canonical, signed": [32]byte(append([]byte{0xf0}, bytes.Repeat([]byte{0xff}, 31)...)),
	} {
		if secret, err := dh(own, &key); err == nil {
			t.Errorf("%s: %x", name, secret)
		}
	}
	for i := range 20 {
		other := keys.PairFromSeed([32]byte{byte(i), 1})
		x, err := dh(own, (*[32]byte)(&other.Public))
		must(t, err)
		y, err := dh(other, (*[32]byte)(&own.Public))
		must(t, err)
		if x != y {
			t.Errorf("the two sides share %x and %x", x, y)
		}
	}
}

func TestSealKeepsWhatWasThere(t *testing.T) {
	tx, rx := boxes(t)
	var b []byte
	b = append(b, padded()...)
	var at []int
	for n := range 200 {
		b = append(b, 0, 0, 0)
		at = append(at, len(b))
		var err error
		b, err = tx.seal(b, bytes.Repeat([]byte{byte(n)}, n))
		must(t, err)
	}
	for n, from := range at {
		end := from + overhead + n
		got, err := rx.open(b[:end:end], from)
		if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(n)}, n)) {
			t.Fatalf("message %d: %x, %v", n, got, err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	for name, n := range map[string]int{"100B": 100, "1KiB": 1 << 10, "64KiB": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			tx, _ := boxes(b)
			msg, out := make([]byte, n), make([]byte, room, room+overhead+n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tx.seal(out, msg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for name, n := range map[string]int{"100B": 100, "1KiB": 1 << 10, "64KiB": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			tx, fresh := boxes(b)
			sealed, err := tx.seal(padded(), make([]byte, n))
			must(b, err)
			in := make([]byte, len(sealed))
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				rx := *fresh
				copy(in, sealed)
				if _, err := rx.open(in, room); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
