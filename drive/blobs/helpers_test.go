package blobs

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/vectors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newCore returns an empty core in memory.
func newCore(t testing.TB, pair keys.Pair) *core.Core {
	t.Helper()
	db := datastore.NewMemory(datastore.Options{})
	t.Cleanup(func() { db.Close() })
	c, err := core.Open(t.Context(), db, core.Options{Pair: pair})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func newBlobs(t testing.TB, size int) *Blobs {
	t.Helper()
	return blobsOf(t, newCore(t, keys.PairFromSeed(keys.Seed{1})), size)
}

func blobsOf(t testing.TB, c *core.Core, size int) *Blobs {
	t.Helper()
	b, err := New(c, Options{BlockSize: size})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// generator is the data of the golden files: one of its fields is set.
type generator struct {
	Hex     *vectors.Hex
	Text    *string
	Pattern []uint64
	LCG     []uint64
	Zeros   *int
}

func (g generator) bytes(t testing.TB) []byte {
	t.Helper()
	switch {
	case g.Hex != nil:
		return *g.Hex
	case g.Text != nil:
		return []byte(*g.Text)
	case len(g.Pattern) == 2:
		b := make([]byte, g.Pattern[1])
		for i := range b {
			b[i] = byte(int(g.Pattern[0])*31 + i*7 + i/256*13)
		}
		return b
	case len(g.LCG) == 2:
		b, x := make([]byte, g.LCG[1]), uint32(g.LCG[0])
		for i := range b {
			x = x*1664525 + 1013904223
			b[i] = byte(x >> 24)
		}
		return b
	case g.Zeros != nil:
		return make([]byte, *g.Zeros)
	}
	t.Fatal("golden data: a data generator of no kind")
	return nil
}
