package bee

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/vectors"
)

// golden is what the tests read of the golden data.
type golden struct {
	PrimaryKey vectors.Hex `json:"primaryKey"`
	Scenarios  []scenario  `json:"scenarios"`
	Extension  struct {
		Name     string            `json:"name"`
		Messages []goldenExtension `json:"messages"`
	} `json:"extension"`
	Snapshots struct {
		Puts  int              `json:"puts"`
		Cases []goldenSnapshot `json:"cases"`
	} `json:"snapshots"`
	ClearUnlinked struct {
		Ops        []goldenOp `json:"ops"`
		Length     uint64     `json:"length"`
		Returns    uint64     `json:"returns"`
		KeptBlocks []uint64   `json:"keptBlocks"`
		LiveSeqs   []uint64   `json:"liveSeqs"`
	} `json:"clearUnlinked"`
	SubEncoder []goldenSubEncoder `json:"subEncoder"`
}

type scenario struct {
	Name string `json:"name"`
	Bee  struct {
		KeyEncoding     string `json:"keyEncoding"`
		ValueEncoding   string `json:"valueEncoding"`
		AlwaysDuplicate bool   `json:"alwaysDuplicate"`
		Metadata        *struct {
			ContentFeed vectors.Hex `json:"contentFeed"`
			UserData    vectors.Hex `json:"userData"`
		} `json:"metadata"`
	} `json:"bee"`
	Ops        []goldenOp       `json:"ops"`
	After      []uint64         `json:"after"`
	Length     uint64           `json:"length"`
	ByteLength uint64           `json:"byteLength"`
	TreeHash   vectors.Hex      `json:"treeHash"`
	CoreKey    vectors.Hex      `json:"coreKey"`
	Signature  vectors.Hex      `json:"signature"`
	Blocks     []vectors.Hex    `json:"blocks"`
	BlockHash8 []vectors.Hex    `json:"blockHash8"`
	Queries    []goldenQuery    `json:"queries"`
	SubQueries []goldenSubQuery `json:"subQueries"`
}

type goldenOp struct {
	Op    string          `json:"op"`
	K     vectors.Hex     `json:"k"`
	KS    *string         `json:"ks"`
	V     vectors.Hex     `json:"v"`
	VJ    json.RawMessage `json:"vj"`
	CAS   string          `json:"cas"`
	Sub   []string        `json:"sub"`
	Batch []goldenOp      `json:"ops"`
}

type goldenQuery struct {
	Q        string          `json:"q"`
	Version  uint64          `json:"version"`
	Left     uint64          `json:"left"`
	Right    uint64          `json:"right"`
	K        vectors.Hex     `json:"k"`
	KS       *string         `json:"ks"`
	Opts     json.RawMessage `json:"opts"`
	Seq      *uint64         `json:"seq"`
	Seqs     []uint64        `json:"seqs"`
	SeqsHash vectors.Hex     `json:"seqsHash"`
	Res      json.RawMessage `json:"res"`
	ResHash  vectors.Hex     `json:"resHash"`
	Count    *int            `json:"count"`
}

type goldenSubQuery struct {
	Sub  []string            `json:"sub"`
	Opts json.RawMessage     `json:"opts"`
	Keys [][]json.RawMessage `json:"keys"`
}

// goldenRange is a range, or the options of a history, as the golden data has them.
type goldenRange struct {
	GT, GTE, LT, LTE json.RawMessage
	Since, End       json.RawMessage
	Reverse          bool
	Limit            *int
}

func loadGolden(t testing.TB) *golden {
	t.Helper()
	g := new(golden)
	vectors.Load(t, "bee.json", g)
	return g
}

func notEmpty[T any](t testing.TB, name string, list []T) {
	t.Helper()
	if len(list) == 0 {
		t.Fatalf("golden data: no %s", name)
	}
}

// core makes the core of a scenario.
func (g *golden) core(t testing.TB, name string) *core.Core {
	t.Helper()
	s, err := corestore.Open(t.Context(), memoryDB(t), corestore.Options{PrimaryKey: keys.PrimaryKey(g.PrimaryKey.Array32(t))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := s.Open(t.Context(), corestore.Name("bee-"+name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// play makes a bee and does all operations of the scenario.
func (s *scenario) play(t testing.TB, g *golden) *Bee {
	t.Helper()
	o := Options{SkipSame: !s.Bee.AlwaysDuplicate}
	if m := s.Bee.Metadata; m != nil {
		o.Metadata = &Metadata{ContentFeed: m.ContentFeed, UserData: m.UserData}
	}
	b := openBee(t, g.core(t, s.Name), o)
	if len(s.After) != len(s.Ops) {
		t.Fatalf("golden data: %d lengths for %d operations", len(s.After), len(s.Ops))
	}
	for i := range s.Ops {
		if err := s.do(t.Context(), b, &s.Ops[i]); err != nil {
			t.Fatalf("operation %d: %v", i, err)
		}
		if n := b.Core().Head().Length; n != s.After[i] {
			t.Fatalf("after operation %d the core has %d blocks, want %d", i, n, s.After[i])
		}
	}
	return b
}

// do does an operation: alone as a caller would, or a batch in one Update.
func (s *scenario) do(ctx context.Context, b *Bee, op *goldenOp) error {
	for _, name := range op.Sub {
		b = b.Sub([]byte(name))
	}
	if op.Op == "batch" {
		return b.Update(ctx, func(tx *Batch) error {
			for i := range op.Batch {
				if err := s.change(tx, &op.Batch[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return b.Update(ctx, func(tx *Batch) error { return s.change(tx, op) })
}

func (s *scenario) change(tx *Batch, op *goldenOp) error {
	key := []byte(op.K)
	if op.KS != nil {
		key = []byte(*op.KS)
	}
	if op.Op == "del" {
		_, err := tx.DeleteIf(key, op.cas())
		return err
	}
	value, err := s.value(op)
	if err == nil {
		_, err = tx.PutIf(key, value, op.cas())
	}
	return err
}

// value encodes the value of an operation as the scenario does.
func (s *scenario) value(op *goldenOp) ([]byte, error) {
	if op.VJ == nil {
		return op.V, nil
	}
	if s.Bee.ValueEncoding == "json" {
		return JSON[json.RawMessage]().Encode(op.VJ)
	}
	var text *string
	if err := json.Unmarshal(op.VJ, &text); err != nil || text == nil {
		return nil, err
	}
	return Text().Encode(*text)
}

func (op *goldenOp) cas() func(prev, next Entry) bool {
	switch op.CAS {
	case "never":
		return func(Entry, Entry) bool { return false }
	case "always":
		return func(Entry, Entry) bool { return true }
	case "differs":
		return func(p, n Entry) bool {
			return (p.Value == nil) != (n.Value == nil) || string(p.Value) != string(n.Value)
		}
	}
	return nil
}
