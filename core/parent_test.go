package core_test

import (
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// parented notes what a source sees of a core while it attaches it, and attaches nothing.
type parented []keys.DiscoveryKey

func (p *parented) Attach(c *core.Core) core.Session {
	*p = append(*p, c.Parent())
	return nil
}

func TestParent(t *testing.T) {
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	pair, first, second := keys.PairFromSeed([32]byte{1}), keys.DiscoveryKey{2}, keys.DiscoveryKey{3}
	var seen parented
	c, err := core.Open(t.Context(), db, core.Options{Pair: pair, Parent: first, Source: &seen})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(seen) != 1 || seen[0] != first {
		t.Errorf("the source saw the parents %v, want %v", seen, first)
	}
	again, err := c.Session(core.Options{Parent: second})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Parent() != first || c.Parent() != first {
		t.Errorf("parents %v and %v, want the one that was said first", c.Parent(), again.Parent())
	}
}
