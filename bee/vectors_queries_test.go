package bee

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"testing"

	"golang.org/x/crypto/blake2b"
)

// TestVectorsQueries asks every scenario what the golden data asks.
func TestVectorsQueries(t *testing.T) {
	g := loadGolden(t)
	notEmpty(t, "scenarios", g.Scenarios)
	for i := range g.Scenarios {
		s := &g.Scenarios[i]
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			if s.Length > 1 {
				notEmpty(t, "queries", s.Queries)
			}
			b := s.play(t, g)
			for k := range s.Queries {
				s.query(t, b, &s.Queries[k])
			}
			for k := range s.SubQueries {
				s.subQuery(t, b, &s.SubQueries[k])
			}
		})
	}
}

func (s *scenario) query(t *testing.T, b *Bee, q *goldenQuery) {
	t.Helper()
	switch q.Q {
	case "get":
		key := []byte(q.K)
		if q.KS != nil {
			key = []byte(*q.KS)
		}
		e, err := b.At(q.Version).Get(t.Context(), key)
		wantSeq(t, q, e, err)
	case "peek":
		e, err := b.At(q.Version).Peek(t.Context(), s.bounds(t, q.Opts))
		wantSeq(t, q, e, err)
	case "range":
		s.queryRange(t, b, q)
	case "history":
		queryHistory(t, b, q)
	case "diff":
		s.queryDiff(t, b, q)
	default:
		t.Fatalf("golden data: query %q", q.Q)
	}
}

func wantSeq(t *testing.T, q *goldenQuery, e Entry, err error) {
	t.Helper()
	if q.Seq == nil && errors.Is(err, ErrNotFound) {
		return
	}
	if q.Seq == nil || err != nil || e.Seq != *q.Seq {
		t.Errorf("%+v: block %d (%v)", q, e.Seq, err)
	}
}

func goldenOptions(t *testing.T, raw json.RawMessage) (o goldenRange) {
	t.Helper()
	if raw == nil {
		return o
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatalf("golden data: options %s: %v", raw, err)
	}
	return o
}

// bound decodes a key among options: hexadecimal where keys are bytes.
func (s *scenario) bound(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	var text *string
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &text); err != nil {
		t.Fatalf("golden data: bound %s: %v", raw, err)
	}
	if text == nil {
		return nil
	}
	if s.Bee.KeyEncoding != "binary" {
		return []byte(*text)
	}
	b, err := hex.DecodeString(*text)
	if err != nil {
		t.Fatalf("golden data: bound %s: %v", raw, err)
	}
	return append([]byte{}, b...)
}

func (s *scenario) bounds(t *testing.T, raw json.RawMessage) Range {
	t.Helper()
	o := goldenOptions(t, raw)
	r := Range{GT: s.bound(t, o.GT), GTE: s.bound(t, o.GTE), LT: s.bound(t, o.LT), LTE: s.bound(t, o.LTE), Reverse: o.Reverse}
	if o.Limit != nil && *o.Limit > 0 {
		r.Limit = *o.Limit
	}
	return r
}

// none tells whether the options ask for nothing: there a limit of 0 is none at all.
func (o *goldenRange) none() bool { return o.Limit != nil && *o.Limit == 0 }

func (s *scenario) queryRange(t *testing.T, b *Bee, q *goldenQuery) {
	t.Helper()
	seqs := []uint64{}
	if o := goldenOptions(t, q.Opts); !o.none() {
		for _, e := range mustAll(t, b.At(q.Version), s.bounds(t, q.Opts)) {
			seqs = append(seqs, e.Seq)
		}
	}
	if q.SeqsHash != nil {
		wantHash(t, q, seqs, len(seqs), q.SeqsHash)
		return
	}
	want := append([]uint64{}, q.Seqs...)
	wantJSON(t, q, seqs, len(seqs), mustJSON(t, want))
}

func (s *scenario) queryDiff(t *testing.T, b *Bee, q *goldenQuery) {
	t.Helper()
	res := [][2]*uint64{}
	if o := goldenOptions(t, q.Opts); !o.none() {
		for d, err := range b.At(q.Left).Diff(t.Context(), b.At(q.Right), s.bounds(t, q.Opts)) {
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			res = append(res, [2]*uint64{seqOf(d.Left), seqOf(d.Right)})
		}
	}
	if q.ResHash != nil {
		wantHash(t, q, res, len(res), q.ResHash)
		return
	}
	wantJSON(t, q, res, len(res), q.Res)
}

func seqOf(e *Entry) *uint64 {
	if e == nil {
		return nil
	}
	return &e.Seq
}

func queryHistory(t *testing.T, b *Bee, q *goldenQuery) {
	t.Helper()
	o := goldenOptions(t, q.Opts)
	number := func(list ...json.RawMessage) (n int64) {
		for _, raw := range list {
			if raw != nil {
				if err := json.Unmarshal(raw, &n); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
		return n
	}
	// There an upper bound of 0 is one, and ends before the first block.
	upper := func(n int64, given bool) int64 {
		if given && n == 0 {
			return math.MinInt32
		}
		return n
	}
	h := HistoryOptions{GT: number(o.GT), GTE: number(o.GTE, o.Since), Reverse: o.Reverse,
		LT: upper(number(o.LT, o.End), o.LT != nil || o.End != nil), LTE: upper(number(o.LTE), o.LTE != nil)}
	if o.Limit != nil && *o.Limit > 0 {
		h.Limit = *o.Limit
	}
	res := [][2]any{}
	if !o.none() {
		for e, err := range b.History(t.Context(), h) {
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			kind := "put"
			if e.Deleted {
				kind = "del"
			}
			res = append(res, [2]any{kind, e.Seq})
		}
	}
	wantJSON(t, q, res, len(res), q.Res)
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := AppendJSON(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantJSON compares a result of n items with its JSON text, as far as that is known.
func wantJSON(t *testing.T, q *goldenQuery, got any, n int, want json.RawMessage) {
	t.Helper()
	if q.Count != nil && n != *q.Count {
		t.Errorf("%s of %d (%d, %d) with %s: %d results, want %d", q.Q, q.Version, q.Left, q.Right, q.Opts, n, *q.Count)
	}
	if want == nil {
		return
	}
	if text, canonical := mustJSON(t, got), mustJSON(t, want); !bytes.Equal(text, canonical) {
		t.Errorf("%s of %d (%d, %d) with %s is\n%s, want\n%s", q.Q, q.Version, q.Left, q.Right, q.Opts, text, canonical)
	}
}

func wantHash(t *testing.T, q *goldenQuery, got any, n int, want []byte) {
	t.Helper()
	wantJSON(t, q, got, n, nil)
	if sum := blake2b.Sum256(mustJSON(t, got)); !bytes.Equal(sum[:], want) {
		t.Errorf("%s of %d (%d, %d) with %s has hash %x, want %x", q.Q, q.Version, q.Left, q.Right, q.Opts, sum, want)
	}
}

func (s *scenario) subQuery(t *testing.T, b *Bee, q *goldenSubQuery) {
	t.Helper()
	for _, name := range q.Sub {
		b = b.Sub([]byte(name))
	}
	got := [][2]any{}
	if o := goldenOptions(t, q.Opts); !o.none() {
		for _, e := range mustAll(t, b, s.bounds(t, q.Opts)) {
			got = append(got, [2]any{e.Seq, string(e.Key)})
		}
	}
	if a, want := mustJSON(t, got), mustJSON(t, q.Keys); !bytes.Equal(a, want) {
		t.Errorf("sub %q with %s is %s, want %s", q.Sub, q.Opts, a, want)
	}
}
