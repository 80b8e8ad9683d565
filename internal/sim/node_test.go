package sim

import (
	"context"
	"errors"
	"sync"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// node is a peer.
type node struct {
	db      *datastore.DB
	primary keys.PrimaryKey
	meter   meter

	mu   sync.Mutex // guards what follows
	life life
}

// life is a node from one start to the next.
type life struct {
	number int
	set    *replicate.Set
	store  *corestore.Store
}

func newNode(ctx context.Context, seed byte) (*node, error) {
	n := &node{db: datastore.NewMemory(datastore.Options{}), primary: keys.PrimaryKey{seed, 1}}
	n.meter.seen = map[[32]byte]bool{}
	return n, n.startLocked(ctx)
}

func (n *node) startLocked(ctx context.Context) (err error) {
	n.life.number++
	n.life.set = replicate.New(replicate.Options{})
	n.life.store, err = corestore.Open(ctx, n.db, corestore.Options{Source: n.life.set, PrimaryKey: n.primary})
	return err
}

// now returns the present life.
func (n *node) now() life {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.life
}

func (n *node) restart(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.life.store.Close(); err != nil {
		return err
	}
	return n.startLocked(ctx)
}

func (n *node) close() error { return errors.Join(n.now().store.Close(), n.db.Close()) }
