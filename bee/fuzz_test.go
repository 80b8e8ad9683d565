package bee

import (
	"bytes"
	"encoding/json"
	"testing"
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
			if n, _, err := b.node(off); err == nil && (len(n.keys) > maxKeys || !n.leaf() && len(n.kids) != 2*len(n.keys)+2) {
				t.Fatalf("node of %d keys and %d numbers of children", len(n.keys), len(n.kids))
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

// FuzzBee reads and changes a bee of blocks that are cut out of the input.
func FuzzBee(f *testing.F) {
	for _, s := range loadGolden(f).Scenarios {
		var in []byte
		for i, raw := range s.Blocks {
			if i > 0 && i < 20 && len(raw) < 256 {
				in = append(append(in, byte(len(raw))), raw...)
			}
		}
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var blocks [][]byte
		for len(in) > 0 && len(blocks) < 20 {
			n := min(int(in[0]), len(in)-1)
			blocks, in = append(blocks, in[1:1+n]), in[1+n:]
		}
		useAll(t.Context(), hostile(t, blocks...))
	})
}
