package core

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
)

// TestPlace holds place and index to be inverses, and every slot to be that of one node.
func TestPlace(t *testing.T) {
	rng := seeded(t, 5)
	check := func(index uint64) {
		id, slot := place(index)
		if slot >= pageSlots || id.level >= pageLevels || id.index(slot) != index {
			t.Fatalf("node %d is in slot %d of %+v, which is of node %d", index, slot, id, id.index(slot))
		}
		if s := id.span(); id.level < 13 && (merkle.LeftSpan(index)/2 < s.Start || merkle.RightSpan(index)/2 >= s.End) {
			t.Fatalf("node %d is not below page %+v, %+v", index, id, s)
		}
		if parent, _ := place(merkle.Sibling(index)); index < 1<<54 && parent != id {
			t.Fatalf("node %d and its sibling are in different pages", index)
		}
	}
	for index := range uint64(5000) {
		check(index)
	}
	for range 200_000 {
		index := rng.Uint64() >> (9 + rng.IntN(50))
		check(index)
		check(index | 1<<rng.IntN(50) - 1) // a node that is high up
	}
	for page := range uint64(40) {
		for level := range uint64(12) {
			for slot := range uint64(pageSlots) {
				id := pageID{level, page}
				if at, s := place(id.index(slot)); at != id || s != slot {
					t.Fatalf("slot %d of %+v is of node %d, which is in slot %d of %+v", slot, id, id.index(slot), s, at)
				}
			}
		}
	}
}

// TestPageCut drops what is not complete.
func TestPageCut(t *testing.T) {
	rng := seeded(t, 6)
	for range 2000 {
		id := pageID{rng.Uint64N(4), rng.Uint64N(8)}
		p := randomPage(rng, id)
		length := rng.Uint64N(2 * (id.span().End + 1))
		before := p
		p.cut(id, length)
		for slot := range uint64(pageSlots) {
			n, was := p.node(id, slot), before.node(id, slot)
			if merkle.Complete(id.index(slot), length) && n != was || !merkle.Complete(id.index(slot), length) && !n.IsZero() {
				t.Fatalf("page %+v cut to %d: slot %d has %+v, had %+v", id, length, slot, n, was)
			}
		}
	}
}

func randomPage(rng *rand.Rand, id pageID) (p nodePage) {
	for slot := range uint64(pageSlots) {
		if rng.IntN(3) > 0 {
			n := merkle.Node{Index: id.index(slot), Size: rng.Uint64() >> (11 + rng.IntN(52)), Unsure: rng.IntN(3) == 0}
			binary.LittleEndian.PutUint64(n.Hash[:], rng.Uint64()|1)
			p.put(slot, &n)
		}
	}
	return p
}

func FuzzNodePage(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		p := randomPage(rng, pageID{0, 1})
		f.Add(p.appendTo(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, q nodePage
		if p.decode(b) != nil {
			return
		}
		again := p.appendTo(nil)
		if err := q.decode(again); err != nil || q != p {
			t.Fatalf("%x became %x: %v", b, again, err)
		}
		p.cut(pageID{1, 2}, 300)
		if err := q.decode(p.appendTo(nil)); err != nil || q != p {
			t.Fatalf("cut: %v", err)
		}
	})
}

func FuzzRecord(f *testing.F) {
	pair := pairOf(1)
	m := manifest.Single(pair.Public)
	for _, r := range []Record{
		{Key: m.Key(), Manifest: m.Encode(), id: 3}, {Key: keys.Key(pair.Public), Compat: true, Frozen: true, id: 1 << 50},
		{Key: m.Key(), Origin: []byte("origin"), Encrypted: true, secret: true},
	} {
		f.Add(r.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		again, err := decodeRecord(r.encode())
		if err != nil || !bytes.Equal(again.encode(), r.encode()) {
			t.Fatalf("%x became %x: %v", b, r.encode(), err)
		}
	})
}

func FuzzState(f *testing.F) {
	f.Add(emptyState().encode())
	f.Add((&state{fork: 2, length: 1 << 40, byteLength: 9, treeHash: merkle.Hash{1}, signature: make([]byte, 68), contiguous: 3, recover: 7}).encode())
	f.Add((&state{length: 9, contiguous: 1, since: 3, recover: 7}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeState(b)
		if err != nil {
			return
		}
		again, err := decodeState(s.encode())
		if err != nil || !bytes.Equal(again.encode(), s.encode()) {
			t.Fatalf("%x became %x: %v", b, s.encode(), err)
		}
	})
}

func FuzzDeletion(f *testing.F) {
	d := deletion{key: keys.DiscoveryKey{1, 2}, length: 1 << 40, secret: true}
	f.Add(d.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		d, ok := decodeDeletion(b)
		if !ok {
			return
		}
		if again, ok := decodeDeletion(d.encode()); !ok || again != d {
			t.Fatalf("%+v became %+v", d, again)
		}
	})
}

func FuzzBlockCipher(f *testing.F) {
	f.Add(uint64(0), uint64(0), []byte("plain"))
	f.Add(uint64(1<<52), uint64(3), []byte{})
	f.Fuzz(func(t *testing.T, index, fork uint64, b []byte) {
		c := newBlockCipher(Encryption{Key: [32]byte{1}}, keys.Key{2}, false)
		if got, ok := c.open(index, c.seal(index, fork, b)); !ok || !bytes.Equal(got, b) {
			t.Fatalf("%x became %x", b, got)
		}
		if plain, ok := c.open(index, bytes.Clone(b)); ok != (len(b) >= padding) || ok && len(plain) != len(b)-padding {
			t.Fatalf("%d bytes opened to %d, %v", len(b), len(plain), ok)
		}
	})
}
