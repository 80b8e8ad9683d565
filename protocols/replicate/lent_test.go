package replicate

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// Blocks of sizes around those whose memory is lent by the stream, and used again, arrive as they were sent, while others come
// in and some are asked for ahead of them.
func TestLargeBlocks(t *testing.T) {
	a, b := nodeOnDisk(t), nodeOnDisk(t)
	draw := rand.New(rand.NewPCG(1, 2))
	var blocks [][]byte
	for range 80 {
		block := make([]byte, draw.IntN(5)*20<<10+draw.IntN(40<<10))
		for i := range block {
			block[i] = byte(draw.Uint32())
		}
		blocks = append(blocks, block)
	}
	w := a.open(corestore.Name("log"))
	if _, err := w.Append(t.Context(), blocks...); err != nil {
		t.Fatal(err)
	}
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	var gets sync.WaitGroup
	for range 4 {
		i := draw.Uint64N(uint64(len(blocks)))
		gets.Go(func() {
			if got, err := r.Get(within(t), i); err != nil || !bytes.Equal(got, blocks[i]) {
				t.Errorf("block %d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	if err := r.Download(within(t), whole(uint64(len(blocks)))); err != nil {
		t.Fatal(err)
	}
	gets.Wait()
	for i := range blocks {
		mustGet(t, r, uint64(i), blocks[i])
	}
	if st := b.set.Core(w.DiscoveryKey()).Stats(); st.Refused > 0 {
		t.Errorf("%d answers were refused", st.Refused)
	}
}

// nodeOnDisk is a node whose store is in files: blocks are written from where they were received.
func nodeOnDisk(t *testing.T) *node {
	t.Helper()
	db, err := pebble.Open(filepath.Join(t.TempDir(), "store"), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, set: New(Options{})}
	if n.store, err = corestore.Open(t.Context(), db, corestore.Options{Source: n.set, PrimaryKey: keys.PrimaryKey{1}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.store.Close(); db.Close() })
	return n
}
