package bee

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

func FuzzBlock(f *testing.F) {
	for _, s := range loadGolden(f).Scenarios {
		for i, raw := range s.Blocks {
			if i%40 == 1 {
				f.Add([]byte(raw))
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		const seq = 1 << 40
		b, err := decodeBlock(seq, raw)
		if err != nil {
			return
		}
		levels, err := b.layout()
		if err != nil {
			return
		}
		for off := range uint64(len(levels)) {
			var n node
			if err := b.node(off, &n); err == nil && len(n.kids()) > 0 && len(n.kids()) != len(n.keys())+1 {
				t.Fatalf("node of %d keys and %d children", len(n.keys()), len(n.kids()))
			}
		}
		b.deleted()
		again, err := recode(seq, raw)
		if err != nil {
			return
		}
		if twice, err := recode(seq, again); err != nil || !bytes.Equal(again, twice) {
			t.Fatalf("%x becomes %x (%v)", again, twice, err)
		}
	})
}

func FuzzHeader(f *testing.F) {
	for _, s := range loadGolden(f).Scenarios {
		if len(s.Blocks) > 0 {
			f.Add([]byte(s.Blocks[0]))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := decodeHeader(raw)
		if err != nil {
			return
		}
		if again, err := decodeHeader(h.encode()); err != nil || !bytes.Equal(again.encode(), h.encode()) {
			t.Fatalf("%+v comes back as %+v (%v)", h, again, err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	for _, m := range loadGolden(f).Extension.Messages {
		f.Add([]byte(m.Encoded))
	}
	b := memoryBee(f, Options{})
	for _, k := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		mustPut(f, b, k, k)
	}
	h := &hints{s: b.s}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = decodePayload(raw)
		m, err := decodeMessage(raw)
		if err != nil {
			return
		}
		if m.get != nil {
			h.answerGet(t.Context(), "peer", m.get)
		}
		if m.iterator != nil {
			h.answerIterator(t.Context(), "peer", m.iterator)
		}
		b := m.encode()
		if again, err := decodeMessage(b); err != nil || !bytes.Equal(again.encode(), b) {
			t.Fatalf("%x comes back as %+v (%v)", b, again, err)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"b":[1.50,-0,1e999,1E-7],"10":"\u2028\ud83d\ude00\ud800x","2":null,"b":"<&>"}`, `"\u0007\/\u007f"`, `123456789012345678901234`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 1<<12 {
			return
		}
		b, err := AppendJSON(nil, json.RawMessage(raw))
		if err != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("%q is printed as %q", raw, b)
		}
		if again, err := AppendJSON(nil, json.RawMessage(b)); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is printed as %q (%v)", b, again, err)
		}
	})
}

// fuzzedBlocks is how many blocks a bee has at most in FuzzBee.
const fuzzedBlocks = 20

// FuzzBee reads and changes a bee of blocks that are cut out of the input. They are put where those lie that were read
// before; the cores have the right lengths, and blocks of no bee.
func FuzzBee(f *testing.F) {
	for _, s := range loadGolden(f).Scenarios {
		var in []byte
		for i, raw := range s.Blocks {
			if i > 0 && i < fuzzedBlocks && len(raw) < 256 {
				in = append(append(in, byte(len(raw))), raw...)
			}
		}
		f.Add(in)
	}
	db, lengths := memoryDB(f), [fuzzedBlocks + 1]*core.Core{}
	for n := range lengths {
		lengths[n] = coreIn(f, db, core.Options{Pair: keys.PairFromSeed(keys.Seed{byte(n + 1)}), Derived: true})
		blocks := slices.Repeat([][]byte{{0xff}}, n+1)
		if _, err := lengths[n].Append(f.Context(), blocks...); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var blocks [][]byte
		for len(in) > 0 && len(blocks) < fuzzedBlocks {
			n := min(int(in[0]), len(in)-1)
			blocks, in = append(blocks, in[1:1+n]), in[1+n:]
		}
		b, err := OpenWith(t.Context(), lengths[len(blocks)], Options{NoHints: true})
		if err != nil {
			t.Fatal(err)
		}
		b.s.cache.decodeAll(b.Core().Head().Fork, 1, blocks)
		for _, err := range useAll(t.Context(), b) {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v is no ErrCorrupt", err)
			}
		}
	})
}
