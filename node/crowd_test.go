package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/test"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/hypernode/hypernode/node"
)

// gone are peers that are no more where they were: more of them than are connected for one core.
func gone(t *testing.T) (list []peer.AddrInfo) {
	for i := range 40 {
		addr := ma.StringCast(fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", i+1))
		list = append(list, peer.AddrInfo{ID: test.RandPeerIDFatal(t), Addrs: []ma.Multiaddr{addr}})
	}
	return list
}

// TestGoneFirst finds many peers that are gone, and only then the one that has the core: it gets its turn once they have turned
// out to be gone, and not with the next lookup.
func TestGoneFirst(t *testing.T) {
	a := start(t, local())
	written := a.write(t, "core", 3)
	t.Run("reader", func(t *testing.T) {
		r := start(t, local())
		r.read(t, written, append(gone(t), a.info())...)
	})
	t.Run("seed", func(t *testing.T) {
		r := start(t, local())
		if err := r.Seed(t.Context(), written.Key(), node.SeedOptions{}); err != nil {
			t.Fatal(err)
		}
		until(t, "the core is open", func() bool { return r.Transfer(written.DiscoveryKey()) != nil })
		r.Hint(written.DiscoveryKey(), append(gone(t), a.info())...)
		until(t, "the copy is whole", func() bool { s, _ := seeded(r, written.Key()); return s.Contiguous == 3 })
	})
}

// TestWriterReturns ends the writer of a core, and starts it again when all have forgotten where it was: the seeds have each other,
// as many as they connect to, and still get what is new.
func TestWriterReturns(t *testing.T) {
	boot := start(t, local())
	c := local(boot)
	c.Store.Path = t.TempDir()
	writer := start(t, c)
	written := writer.write(t, "core", 3)
	whole := func(list []*running, length uint64) {
		t.Helper()
		until(t, fmt.Sprintf("all seeds have %d blocks", length), func() bool {
			for _, r := range list {
				if s, _ := seeded(r, written.Key()); s.Contiguous != length {
					return false
				}
			}
			return true
		})
	}
	seeds := []*running{seeder(t, boot, written.Key())}
	whole(seeds, 3)
	written.Close()
	writer.stop()
	for range 9 {
		seeds = append(seeds, seeder(t, boot, written.Key()))
	}
	whole(seeds, 3)
	until(t, "all seeds have peers enough", func() bool {
		return !slices.ContainsFunc(seeds, func(r *running) bool { s, _ := seeded(r, written.Key()); return s.Peers < 8 })
	})
	if err := os.Remove(filepath.Join(c.Store.Path, "secrets", "identity")); err != nil {
		t.Fatal(err) // it comes as a peer that none of the seeds tries any more
	}
	writer = start(t, c)
	writer.write(t, "core", 1)
	whole(seeds, 4)
}
