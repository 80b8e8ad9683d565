package pebble

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestGapsModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var g gaps
	present := map[byte]bool{}
	for range 200_000 {
		k := byte(r.IntN(256))
		if r.IntN(20) == 0 {
			delete(present, k)
			continue
		}
		if g.take([]byte{k}) {
			if present[k] {
				t.Fatalf("%d is there, and a gap hides it", k)
			}
		} else {
			var next []byte
			for n := int(k) + 1; n < 256 && next == nil; n++ {
				if present[byte(n)] {
					next = []byte{byte(n)}
				}
			}
			g.learn([]byte{k}, next)
		}
		if r.IntN(10) > 0 { // else the commit fails
			present[k] = true
		}
	}
}

func FuzzFrame(f *testing.F) {
	const salt = 0x1122334455667788
	one := appendFrame(nil, salt, frame{seq: 7, synced: 5, payload: []byte("payload")})
	f.Add(one)
	f.Add(appendFrame(slices.Clone(one), salt, frame{seq: 8}))
	f.Add(append([]byte("junk"), one[:len(one)-1]...))
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; ; {
			fr, end, ok := nextFrame(rest, salt)
			if !ok {
				return
			}
			again := appendFrame(nil, salt, fr)
			if end > len(rest) || !bytes.HasSuffix(rest[:end], again) {
				t.Fatalf("%x became %x", rest[:end], again)
			}
			rest = rest[end:]
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(appendHeader(nil, fileHeader{number: 3, salt: 4, base: 5, synced: 4}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, ok := parseHeader(b); ok && !bytes.Equal(appendHeader(nil, h), b[:journalHeader]) {
			t.Fatalf("%x became %x", b, appendHeader(nil, h))
		}
	})
}

func FuzzRecords(f *testing.F) {
	p := place{1, 2, 3}
	f.Add([]byte{}, appendInline(nil, 9, []byte("bytes")))
	f.Add([]byte{}, appendPlaced(nil, 9, p))
	f.Add(placeKey(nil, 1, 2), appendPlace(nil, 3, []byte("/b/x")))
	f.Add(segmentKey(nil, 1), appendSegment(nil, segmentInfo{4, 5}))
	f.Add(metaKey, appendMeta(nil, meta{seq: 1, active: 2, info: segmentInfo{3, 4}}))
	f.Fuzz(func(t *testing.T, k, v []byte) {
		if r, err := parseBlock(v); err == nil {
			again := appendPlaced(nil, r.sum, r.place)
			if r.inline {
				again = appendInline(nil, r.sum, r.bytes)
			}
			same(t, v, again)
		}
		if p, key, err := parsePlace(k, v); err == nil {
			same(t, k, placeKey(nil, p.segment, p.offset))
			same(t, v, appendPlace(nil, p.length, key))
		}
		if n, s, err := parseSegment(k, v); err == nil {
			same(t, k, segmentKey(nil, n))
			same(t, v, appendSegment(nil, s))
		}
		if m, err := parseMeta(v); err == nil {
			same(t, v, appendMeta(nil, m))
		}
	})
}

func same(t *testing.T, a, b []byte) {
	t.Helper()
	if !bytes.Equal(a, b) {
		t.Fatalf("%x became %x", a, b)
	}
}
