package interop

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// Node is a store of this module that replicates.
type Node struct {
	Set   *replicate.Set
	Store *corestore.Store
}

// NewNode makes a node whose store is in memory. It is closed with the test.
func NewNode(t testing.TB) *Node {
	t.Helper()
	primary, err := keys.NewPrimaryKey()
	if err != nil {
		t.Fatal(err)
	}
	return NodeFrom(t, primary)
}

// NodeFrom is [NewNode] with a primary key: of the same names it makes the same cores as [Peer.StoreFrom].
func NodeFrom(t testing.TB, primary keys.PrimaryKey) *Node {
	t.Helper()
	db := datastore.NewMemory(datastore.Options{})
	n, err := openNode(t.Context(), db, primary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Store.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func openNode(ctx context.Context, db *datastore.DB, primary keys.PrimaryKey) (n *Node, err error) {
	n = &Node{Set: replicate.New(replicate.Options{})}
	n.Store, err = corestore.Open(ctx, db, corestore.Options{Source: n.Set, PrimaryKey: primary})
	return n, err
}

// Make implements Side.
func (n *Node) Make() string { return "Go" }

// Open implements Side.
func (n *Node) Open(ctx context.Context, s Spec) (Log, error) {
	ref, err := s.ref()
	if err != nil {
		return nil, err
	}
	ref.Encryption.Key = s.Encryption
	return n.open(ctx, ref)
}

func (n *Node) open(ctx context.Context, ref corestore.Ref) (Log, error) {
	c, err := n.Store.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	return goLog{c, n.Set}, nil
}

// ref is the spec as this module says it.
func (s Spec) ref() (corestore.Ref, error) {
	switch {
	case !s.Key.IsZero():
		return corestore.Key(s.Key), nil
	case len(s.Signers) > 0:
		return s.several()
	case s.Signer != keys.Seed{}:
		ref := corestore.Pair(keys.PairFromSeed(s.Signer))
		ref.Derived = true // the tests make it again
		ref.Compat = s.Compat
		return ref, nil
	}
	return corestore.Name(s.Name), nil
}

// several is the ref of a core with several signers, which this side has all of.
func (s Spec) several() (corestore.Ref, error) {
	config := manifest.Config{Quorum: s.Quorum}
	for _, seed := range s.Signers {
		config.Signers = append(config.Signers, manifest.Signer{PublicKey: keys.PairFromSeed(seed).Public})
	}
	m, err := manifest.New(config)
	if err != nil {
		return corestore.Ref{}, err
	}
	a, err := manifest.NewAuthority(m.Key(), m, manifest.Options{})
	if err != nil {
		return corestore.Ref{}, err
	}
	ref := corestore.Manifest(m)
	ref.Sign = func(t *merkle.Tree) ([]byte, error) {
		var parts []manifest.Part
		for _, seed := range s.Signers[:s.Quorum] {
			p, err := a.SignPart(keys.PairFromSeed(seed), t)
			if err != nil {
				return nil, err
			}
			parts = append(parts, p)
		}
		return a.Assemble(t, parts, nil)
	}
	return ref, nil
}

// Static implements Side.
func (n *Node) Static(ctx context.Context, of Log) (Log, error) {
	c, err := n.Store.Static(ctx, of.(goLog).Core)
	if err != nil {
		return nil, err
	}
	return goLog{c, n.Set}, nil
}

// Core returns the core of a log that a [Node] has opened.
func Core(l Log) *core.Core { return l.(goLog).Core }

// goLog is a core as a Log.
type goLog struct {
	*core.Core
	set *replicate.Set
}

func (l goLog) Append(ctx context.Context, blocks ...[]byte) error {
	_, err := l.Core.Append(ctx, blocks...)
	return err
}

func (l goLog) Download(ctx context.Context, start, end uint64) error {
	return l.Core.Download(ctx, core.Want{Ranges: []core.Range{{Start: start, End: end}}})
}

func (l goLog) Reach(ctx context.Context, fork, length uint64) error {
	for h := l.Head(); h.Fork != fork || h.Length < length; {
		var err error
		if h, err = l.Wait(ctx, h); err != nil {
			return fmt.Errorf("waiting for length %d of fork %d at %v: %w", length, fork, l.Head(), err)
		}
	}
	return nil
}

func (l goLog) Stored(ctx context.Context, start, end uint64) ([][]byte, error) {
	blocks := make([][]byte, end-start)
	for i := range blocks {
		at := start + uint64(i)
		ok, err := l.Has(ctx, at, at+1)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if blocks[i], err = l.Core.Get(ctx, at); err != nil {
			return nil, err
		}
	}
	return blocks, nil
}

func (l goLog) State(ctx context.Context) (State, error) {
	h := l.Head()
	held, err := l.Held(ctx, 0, h.Length)
	return State{
		Key: l.Key(), Fork: h.Fork, Length: h.Length, ByteLength: h.ByteLength,
		Contiguous: l.Contiguous(), Hash: l.TreeHash(), Held: held,
	}, err
}

func (l goLog) Unavailable(err error) bool { return errors.Is(err, core.ErrNotAvailable) }

func (l goLog) Detail(context.Context) string {
	r := l.set.Core(l.DiscoveryKey())
	if r == nil {
		return "not open"
	}
	return fmt.Sprintf("%+v", r.Stats())
}

func (l goLog) Close(context.Context) error { return l.Core.Close() }
