package replicate

import (
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
)

// Who asks for the newest head of a log whose writer signed another history is told of that, and not that there is no later one.
func TestUpdateMeetsAnotherHistory(t *testing.T) {
	pair := keys.PairFromSeed(keys.Seed{7})
	history := func(words ...string) *node {
		n := newNode(t, Options{})
		c := n.open(corestore.Pair(pair))
		for _, w := range words {
			if _, err := c.Append(t.Context(), []byte(w)); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	first, second, reader := history("a", "b", "c"), history("a", "b", "x", "y"), newNode(t, Options{})
	c := reader.open(corestore.Key(first.open(corestore.Pair(pair)).Key()))
	w := connect(t, first, reader)
	if err := c.Download(within(t), whole(3)); err != nil {
		t.Fatal(err)
	}
	w.cut()
	connect(t, second, reader)
	if err := reader.set.Core(c.DiscoveryKey()).Joined(within(t)); err != nil && !errors.Is(err, core.ErrConflict) {
		t.Fatal(err)
	}
	if err := c.Update(within(t)); !errors.Is(err, core.ErrConflict) {
		t.Fatal(err)
	}
}
