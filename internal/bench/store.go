package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// store is an open store on disk.
type store struct {
	db *datastore.DB
	*corestore.Store
}

func openStore(ctx context.Context, t *task) (*store, error) { return openStoreFrom(ctx, t, nil) }

// openStoreFrom opens a store whose cores fetch from source what they lack.
func openStoreFrom(ctx context.Context, t *task, source core.Source) (*store, error) {
	o := pebble.Options{}
	if t.Durability == datastore.Process.String() {
		o.Durability = datastore.Process
	}
	db, err := pebble.Open(t.Dir, o)
	if err != nil {
		return nil, err
	}
	s, err := corestore.Open(ctx, db, corestore.Options{PrimaryKey: keys.PrimaryKey(bytes.Repeat([]byte{1}, 32)), Source: source})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &store{db, s}, nil
}

// Close closes the store and its database.
func (s *store) Close() error { return errors.Join(s.Store.Close(), s.db.Close()) }

// bench opens the core of the log workloads.
func (s *store) bench(ctx context.Context) (*core.Core, error) {
	c, err := s.Open(ctx, corestore.Name("bench"))
	if err != nil {
		return nil, err
	}
	if k := c.Key(); !strings.HasPrefix(fmt.Sprintf("%x", k[:]), coreKey) {
		return nil, fmt.Errorf("the core has the key %x", k[:])
	}
	return c, nil
}

// checkTree compares the tree hash of n blocks of a size with the one of the JavaScript stack; for a number of blocks that it
// was not asked for, with that of the tree made anew.
func (t *task) checkTree(c *core.Core) error {
	h := c.TreeHash()
	want := treeHash(t.Count, t.Size)
	if want == "" {
		batch := merkle.NewBatch(merkle.Tree{})
		var b []byte
		for i := range t.Count {
			b = t.pool.block(b, i, t.Size)
			batch.AppendBlocks([][]byte{b})
		}
		made := batch.Tree.Hash()
		want = fmt.Sprintf("%x", made[:])
	}
	if got := fmt.Sprintf("%x", h[:]); !strings.HasPrefix(got, want) || c.Head().Length != t.Count {
		return fmt.Errorf("tree hash %s of %d blocks, want %s of %d", got, c.Head().Length, want, t.Count)
	}
	return nil
}

// used is what a store takes on disk once it is closed, in MiB.
func used(ctx context.Context, t *task) (float64, error) {
	s, err := openStore(ctx, t)
	if err != nil {
		return 0, err
	}
	n, err := s.db.Used()
	return float64(n) / (1 << 20), errors.Join(err, s.Close())
}
