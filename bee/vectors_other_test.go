package bee

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/internal/vectors"
)

// hexField is a byte string that the golden data wraps.
type hexField struct {
	Hex vectors.Hex `json:"hex"`
}

func (h *hexField) bytes() []byte {
	if h == nil {
		return nil
	}
	return append([]byte{}, h.Hex...)
}

type goldenExtension struct {
	Message struct {
		Get *struct {
			Version uint64    `json:"version"`
			Key     *hexField `json:"key"`
		} `json:"get"`
		Cache *struct {
			Blocks     []uint64 `json:"blocks"`
			Start, End uint64
		} `json:"cache"`
		Iterator *goldenIterator `json:"iterator"`
	} `json:"message"`
	Encoded vectors.Hex `json:"encoded"`
}

type goldenIterator struct {
	Version          uint64
	GTE, GT, LTE, LT json.RawMessage
	Limit            int64
	Reverse          bool
	Ended            bool
	Checkpoint       []uint64
}

// key decodes a bound, which is hexadecimal, plain or wrapped.
func goldenKey(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	var plain *vectors.Hex
	if bytes.HasPrefix(raw, []byte{'{'}) {
		var h hexField
		if err := json.Unmarshal(raw, &h); err != nil {
			t.Fatal(err)
		}
		return h.bytes()
	}
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &plain); err != nil {
		t.Fatal(err)
	}
	if plain == nil {
		return nil
	}
	return append([]byte{}, *plain...)
}

func (g *goldenIterator) message(t *testing.T) *iterator {
	return &iterator{version: g.Version, gte: goldenKey(t, g.GTE), gt: goldenKey(t, g.GT), lte: goldenKey(t, g.LTE), lt: goldenKey(t, g.LT),
		limit: uint64(max(g.Limit, 0)), reverse: g.Reverse, checkpoint: g.Checkpoint}
}

func (g *goldenExtension) message(t *testing.T) *message {
	m := &message{}
	if x := g.Message.Get; x != nil {
		m.get = &lookup{x.Version, x.Key.bytes()}
	}
	if x := g.Message.Cache; x != nil {
		m.cache = &cached{x.Start, x.End, x.Blocks}
	}
	if x := g.Message.Iterator; x != nil {
		m.iterator = x.message(t)
	}
	return m
}

func TestVectorsExtension(t *testing.T) {
	g := loadGolden(t)
	notEmpty(t, "messages", g.Extension.Messages)
	if g.Extension.Name != extensionName {
		t.Errorf("the extension is %q, want %q", extensionName, g.Extension.Name)
	}
	for _, x := range g.Extension.Messages {
		m := x.message(t)
		if b := m.encode(); !bytes.Equal(b, x.Encoded) {
			t.Errorf("%+v encodes as %x, want %v", x.Message, b, x.Encoded)
		}
		if carried, err := decodePayload(m.payload()); err != nil || !bytes.Equal(carried.encode(), x.Encoded) {
			t.Errorf("%+v comes back as %+v (%v)", x.Message, carried, err)
		}
		got, err := decodeMessage(x.Encoded)
		if err != nil || !reflect.DeepEqual(normal(got), normal(m)) {
			t.Errorf("%v decodes as %+v (%v), want %+v", x.Encoded, got, err, m)
		}
	}
}

// normal makes empty lists nil.
func normal(m *message) *message {
	if m.cache != nil && len(m.cache.blocks) == 0 {
		m.cache.blocks = nil
	}
	if m.iterator != nil && len(m.iterator.checkpoint) == 0 {
		m.iterator.checkpoint = nil
	}
	return m
}

type goldenSnapshot struct {
	Opts     json.RawMessage `json:"opts"`
	N        int             `json:"n"`
	LastKey  vectors.Hex     `json:"lastKey"`
	Snapshot goldenIterator  `json:"snapshot"`
	Encoded  vectors.Hex     `json:"encoded"`
}

// TestVectorsSnapshots stops scans in the midst, compares where they say they are, and goes on from there.
func TestVectorsSnapshots(t *testing.T) {
	g := loadGolden(t)
	notEmpty(t, "snapshots", g.Snapshots.Cases)
	b := memoryBee(t, Options{})
	for i := range g.Snapshots.Puts {
		mustPut(t, b, "k"+string([]byte{byte('0' + i/100), byte('0' + i/10%10), byte('0' + i%10)}), "v")
	}
	s := scenario{}
	s.Bee.KeyEncoding = "binary"
	for _, c := range g.Snapshots.Cases {
		r := s.bounds(t, c.Opts)
		v, err := b.view(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		x := newScan(t.Context(), v, b.bounds(&r), r.Reverse, r.Limit)
		if err := x.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		x.opened = true
		for range c.N {
			if found, err := x.next(t.Context()); err != nil || found != nil && c.LastKey != nil && x.limit == 0 && !bytes.Equal(found.key, c.LastKey) {
				t.Fatalf("%s: %+v (%v)", c.Opts, found, err)
			}
		}
		c.compare(t, x)
		x.end()
		v.end()
	}
}

func (c *goldenSnapshot) compare(t *testing.T, x *scan) {
	t.Helper()
	if !slices.Equal(x.checkpoint(), c.Snapshot.Checkpoint) {
		t.Errorf("%s after %d: at %v, want %v", c.Opts, c.N, x.checkpoint(), c.Snapshot.Checkpoint)
	}
	if c.LastKey != nil && !bytes.Equal(x.last, c.LastKey) {
		t.Errorf("%s after %d: at key %x, want %v", c.Opts, c.N, x.last, c.LastKey)
	}
	m := x.position(x.limit)
	if (m == nil) != (c.Encoded == nil) {
		t.Fatalf("%s after %d: the hint is %+v, want %v", c.Opts, c.N, m, c.Encoded)
	}
	if m == nil {
		return
	}
	if b := (&message{iterator: m}).encode(); !bytes.Equal(b, c.Encoded) {
		t.Errorf("%s after %d: the hint is %x, want %v", c.Opts, c.N, b, c.Encoded)
	}
	again := x.v.cursor(x.r, x.reverse)
	if err := again.resume(t.Context(), m.checkpoint); err != nil {
		t.Fatalf("%s after %d: going on: %v", c.Opts, c.N, err)
	}
	for x.limit != 0 {
		a, err := x.next(t.Context())
		if a == nil && x.limit == 0 && err == nil {
			return
		}
		b, err2 := again.next(t.Context())
		if a == nil || b == nil || a.seq != b.seq || err != nil || err2 != nil {
			t.Fatalf("%s after %d: going on finds %v and %v (%v, %v)", c.Opts, c.N, a, b, err, err2)
		}
	}
}

func TestVectorsClearUnlinked(t *testing.T) {
	g := loadGolden(t).ClearUnlinked
	notEmpty(t, "operations", g.Ops)
	s := scenario{Ops: g.Ops}
	b := memoryBee(t, Options{})
	for i := range s.Ops {
		if err := s.do(t.Context(), b, &s.Ops[i]); err != nil {
			t.Fatal(err)
		}
	}
	end, err := b.ClearUnlinked(t.Context(), ClearOptions{})
	if err != nil || end != g.Returns || b.Version() != g.Length {
		t.Fatalf("cleared to %d of %d (%v), want %d of %d", end, b.Version(), err, g.Returns, g.Length)
	}
	var kept []uint64
	for i := range g.Length {
		if ok, err := b.Core().Has(t.Context(), i, i+1); err != nil {
			t.Fatal(err)
		} else if ok {
			kept = append(kept, i)
		}
	}
	if !slices.Equal(kept, g.KeptBlocks) {
		t.Errorf("kept %v, want %v", kept, g.KeptBlocks)
	}
	var live []uint64
	for _, e := range mustAll(t, b, Range{}) {
		live = append(live, e.Seq)
	}
	if !slices.Equal(live, g.LiveSeqs) {
		t.Errorf("entries of %v, want %v", live, g.LiveSeqs)
	}
}

type goldenSubEncoder struct {
	Path       []string    `json:"path"`
	Prefix, LT vectors.Hex `json:",omitempty"`
	Encode     [][2]string `json:"encode"`
	Ranges     [][2]struct{ GT, GTE, LT, LTE *string }
}

func TestVectorsSubEncoder(t *testing.T) {
	list := loadGolden(t).SubEncoder
	notEmpty(t, "sub encoders", list)
	for _, g := range list {
		p := NewPrefix(g.Path...)
		if !bytes.Equal(p, g.Prefix) {
			t.Errorf("%q is %x, want %v", g.Path, p, g.Prefix)
		}
		if all := p.Range(Range{}); !bytes.Equal(all.LT, g.LT) {
			t.Errorf("%q ends at %x, want %v", g.Path, all.LT, g.LT)
		}
		for _, x := range g.Encode {
			if want, err := vectorsHex(x[1]); err != nil || !bytes.Equal(p.Key(x[0]), want) {
				t.Errorf("%q in %q is %x, want %s", x[0], g.Path, p.Key(x[0]), x[1])
			}
			if name, ok := p.Trim(p.Key(x[0])); !ok || string(name) != x[0] {
				t.Errorf("%q in %q comes back as %q", x[0], g.Path, name)
			}
		}
		for _, x := range g.Ranges {
			in := Range{GT: plain(x[0].GT), GTE: plain(x[0].GTE), LT: plain(x[0].LT), LTE: plain(x[0].LTE)}
			want := Range{GT: unhex(t, x[1].GT), GTE: unhex(t, x[1].GTE), LT: unhex(t, x[1].LT), LTE: unhex(t, x[1].LTE)}
			if got := p.Range(in); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v in %q is %v, want %v", in, g.Path, got, want)
			}
		}
	}
}

func vectorsHex(s string) (h vectors.Hex, err error) {
	err = h.UnmarshalJSON([]byte(`"` + s + `"`))
	return h, err
}

func plain(s *string) []byte {
	if s == nil {
		return nil
	}
	return []byte(*s)
}

func unhex(t *testing.T, s *string) []byte {
	t.Helper()
	if s == nil {
		return nil
	}
	h, err := vectorsHex(*s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
