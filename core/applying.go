package core

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// applying collects verified proofs for one commit.
type applying struct {
	log       *log
	from      *state
	leaves    []merkle.Node // of the proofs' blocks
	tree      merkle.Tree   // after the proofs so far
	signature []byte
	upgraded  bool
	nodes     []merkle.Node
	index     map[uint64]int // of the sure nodes, or else of the last ones, by tree index; nil while there are few
	blocks    []*merkle.BlockProof
	edge      []edge
}

// verify checks proofs one after the other, each against the tree as the ones before it leave it, and stops before one that needs
// a commit of its own.
func (a *applying) verify(ctx context.Context, proofs []*merkle.Proof, verdicts []Verdict) (n int, err error) {
	err = a.log.db.View(ctx, func(tx *datastore.Tx) error {
		r := &overlay{nodeReader: a.log.nodeReader(tx), applying: a}
		r.length = a.from.length
		for ; n < len(proofs); n++ {
			p := proofs[n]
			if n > 0 && (p.Fork != a.tree.Fork || p.Manifest != nil || p.Upgrade != nil && (p.Request == 0 || a.log.auth == nil)) {
				return nil
			}
			if err := a.one(r, p, &a.leaves[n], &verdicts[n]); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// one checks one proof. The error is that of the store; what is wrong with the proof goes into the verdict.
func (a *applying) one(r merkle.Reader, p *merkle.Proof, leaf *merkle.Node, out *Verdict) error {
	err := checkSize(p)
	var v *merkle.Verified
	if err == nil {
		v, err = merkle.CheckLeaf(r, &a.tree, a.authority(), p, leaf)
	}
	if errors.Is(err, merkle.ErrStale) {
		// We got longer since this was asked for. What it proves besides may still be of use.
		rest := *p
		if rest.Upgrade = nil; rest.Block == nil && rest.Hash == nil && rest.Seek == nil {
			return nil
		}
		v, err = merkle.CheckLeaf(r, &a.tree, a.authority(), &rest, leaf)
	}
	if errors.Is(err, ErrInvalidProof) {
		out.Err = err
		return nil
	}
	if err != nil {
		return err
	}
	out.Applied, out.Upgraded = true, v.Upgraded
	if v.Upgraded {
		a.tree, a.signature, a.upgraded = v.Tree, v.Signature, true
	}
	a.add(v.Nodes)
	if v.Block != nil {
		a.blocks = append(a.blocks, v.Block)
	}
	return nil
}

// checkSize refuses a block that is larger than any peer can take.
func checkSize(p *merkle.Proof) error {
	if p.Block != nil && len(p.Block.Value) > MaxBlock {
		return fmt.Errorf("%w: block of %d bytes", ErrInvalidProof, len(p.Block.Value))
	}
	return nil
}

// add takes proven nodes, to be seen by the next proofs and stored. A sure one is not replaced by one that is not.
func (a *applying) add(nodes []merkle.Node) {
	if a.index == nil && len(a.nodes)+len(nodes) > fewNodes {
		a.index = make(map[uint64]int, len(nodes))
		for k := range a.nodes {
			a.index[a.nodes[k].Index] = k
		}
	}
	for _, n := range nodes {
		k, twice := a.find(n.Index)
		switch {
		case !twice:
			if a.index != nil {
				a.index[n.Index] = len(a.nodes)
			}
			a.nodes = append(a.nodes, n)
		case a.nodes[k].Unsure || !n.Unsure:
			a.nodes[k] = n
		}
	}
}

// fewNodes is up to how many nodes are searched one by one.
const fewNodes = 16

// find returns where in nodes the one of a tree index is.
func (a *applying) find(index uint64) (k int, ok bool) {
	if a.index != nil {
		k, ok = a.index[index]
		return k, ok
	}
	k = slices.IndexFunc(a.nodes, func(n merkle.Node) bool { return n.Index == index })
	return k, k >= 0
}

// authority is who may sign, as an interface that is nil when it is unknown.
func (a *applying) authority() merkle.Authority {
	if a.log.auth == nil {
		return nil
	}
	return a.log.auth
}

// overlay reads stored nodes and those that earlier proofs of the same commit have proven.
type overlay struct {
	*nodeReader
	*applying
}

// ReadNodes implements merkle.Reader.
func (o *overlay) ReadNodes(indexes []uint64) ([]merkle.Node, error) {
	nodes, err := o.nodeReader.ReadNodes(indexes)
	if err != nil {
		return nil, err
	}
	for i, index := range indexes {
		if !nodes[i].IsZero() && !nodes[i].Unsure {
			continue
		}
		if k, ok := o.applying.find(index); ok && (nodes[i].IsZero() || !o.nodes[k].Unsure) {
			nodes[i] = o.nodes[k]
		}
	}
	return nodes, nil
}

// commit stores what was verified.
func (a *applying) commit(ctx context.Context) error {
	if !a.upgraded && len(a.nodes) == 0 && len(a.blocks) == 0 {
		return nil
	}
	next := *a.from
	if a.upgraded {
		next = *a.from.withTree(&a.tree, a.signature)
		if a.log.writer() {
			next.forget(a.from.length)
		}
	}
	have := a.have()
	held, err := a.log.changeHeld(ctx, a.from, &next, have, nil)
	if err != nil {
		return err
	}
	pub := &publication{state: &next, held: held, have: have, same: !a.upgraded}
	a.edge, a.log.edge = a.log.edge, nil
	err = a.log.update(pub, func(tx *datastore.Tx) error {
		if next.recover == 0 { // else a power loss must not take back that something was forgotten
			tx.Lazy()
		}
		return a.write(tx, &next, held)
	})
	if err == nil && a.upgraded && len(a.blocks) == 1 { // more of the kind is likely to come
		a.log.edge = a.edge
	}
	return err
}

// have lists the blocks that came in, neighbours joined.
func (a *applying) have() (list []Range) {
	for _, b := range a.blocks {
		if n := len(list); n > 0 && list[n-1].End == b.Index {
			list[n-1].End++
			continue
		}
		list = append(list, Range{b.Index, b.Index + 1})
	}
	return list
}

func (a *applying) write(tx *datastore.Tx, next *state, held *heldChange) error {
	l := a.log
	prefix := dataKey(l.id)
	for _, b := range a.blocks {
		tx.SetBlock(prefix.Uint(b.Index), b.Value)
	}
	sortRows(a.nodes)
	w := nodeWriter{tx: tx, id: l.id, edge: slices.Clone(a.edge), from: a.from.length}
	if err := w.put(a.nodes); err != nil {
		return err
	}
	a.edge = w.edge
	held.write(tx, l)
	tx.Set(headKey(l.id), next.encode())
	return nil
}
