package core

import (
	"context"
	"errors"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Answer is what ProveAll made of one request: a proof, or an error as Prove has it.
type Answer struct {
	Proof *merkle.Proof
	Err   error
}

// scanBelow is how large the blocks of a log are on average, in bytes, that are read by a scan when neighbours are asked
// for; larger ones are read one by one, which saves a copy. scanFrom is from how many neighbours on.
const (
	scanBelow = 16 << 10
	scanFrom  = 4
)

// ProveAll answers requests as Prove does, with one look at the store for all of them: much faster than one by one when they
// are for neighbours. The caller sees to it that the answers fit into memory. Answers stand in the order of the requests.
func (c *Core) ProveAll(ctx context.Context, requests []*merkle.Request) []Answer {
	answers := make([]Answer, len(requests))
	g := proving{log: c.log, requests: requests, answers: answers}
	err := c.check()
	if err == nil {
		g.state, err = c.log.shown(ctx)
	}
	if err == nil {
		err = g.run(ctx)
	}
	for i := range answers {
		switch a := &answers[i]; {
		case err != nil:
			*a = Answer{Err: notStored(err)}
		case a.Err != nil:
			// What could not be read together may be mended, or is told apart, by looking at it alone.
			a.Proof, a.Err = c.Prove(ctx, requests[i])
		default:
			g.complete(requests[i], a.Proof)
		}
	}
	return answers
}

// proving builds the answers to requests in one view.
type proving struct {
	log      *log
	state    *state
	requests []*merkle.Request
	answers  []Answer
	prologue *merkle.Prologue
	slab     []byte // what is left of the memory for blocks
}

// run fills in the answers. The error concerns all of them.
func (g *proving) run(ctx context.Context) error {
	l, st := g.log, g.state
	if a := l.authority(); a != nil {
		if pro, ok := a.Prologue(); ok {
			g.prologue = &pro
		}
	}
	current := l.current.Load()
	for i, q := range g.requests {
		if q.Block != nil && q.Block.Index < st.length {
			g.answers[i].Err = l.need(ctx, current, q.Block.Index)
		}
	}
	err := l.db.View(ctx, func(tx *datastore.Tx) error {
		g.nodes(tx)
		g.blocks(tx)
		return nil
	})
	if err != nil {
		return err
	}
	if l.settled(); l.current.Load().fork != st.fork {
		return merkle.ErrWrongFork // the nodes may be of the new fork already
	}
	return nil
}

// nodes builds the proofs without the blocks' bytes.
func (g *proving) nodes(tx *datastore.Tx) {
	r := g.log.nodeReader(tx)
	r.length = g.state.length
	t := g.state.tree()
	for i, q := range g.requests {
		if a := &g.answers[i]; a.Err == nil {
			a.Proof, a.Err = merkle.Prove(r, &t, g.prologue, q)
		}
	}
}

// blocks reads the bytes of the blocks that are proven.
func (g *proving) blocks(tx *datastore.Tx) {
	small := g.state.byteLength < scanBelow*g.state.length
	for i := 0; i < len(g.answers); {
		n := g.neighbours(i)
		if n >= scanFrom && small {
			g.scan(tx, i, n)
		} else {
			for k := i; k < i+n; k++ {
				g.block(tx, &g.answers[k])
			}
		}
		i += max(n, 1)
	}
}

// neighbours returns how many answers from i on are for blocks that follow each other, 0 when the first is for none.
func (g *proving) neighbours(i int) (n int) {
	for ; i+n < len(g.answers); n++ {
		a := &g.answers[i+n]
		if a.Err != nil || a.Proof.Block == nil || a.Proof.Block.Index != g.answers[i].Proof.Block.Index+uint64(n) {
			break
		}
	}
	return n
}

func (g *proving) block(tx *datastore.Tx, a *Answer) {
	b := a.Proof.Block
	b.Value, a.Err = tx.Block(blockKey(g.log.id, b.Index))
}

var errUnread = errors.New("core: block was not read")

// scan reads the blocks of n neighbours in one go.
func (g *proving) scan(tx *datastore.Tx, i, n int) {
	first := g.answers[i].Proof.Block.Index
	for k := i; k < i+n; k++ {
		g.answers[k].Err = errUnread
	}
	prefix := dataKey(g.log.id)
	for rec, err := range tx.Blocks(prefix.Uint(first), prefix.Uint(first+uint64(n))) {
		at, _, ok := datastore.ParseUint(rec.Key[min(len(prefix), len(rec.Key)):])
		if err != nil || !ok || at < first || at-first >= uint64(n) {
			continue
		}
		a := &g.answers[i+int(at-first)]
		a.Proof.Block.Value, a.Err = g.keep(rec.Value), nil
	}
}

// keep copies a block's bytes.
func (g *proving) keep(b []byte) []byte {
	const slab = 64 << 10
	if len(b) > slab/4 {
		return append([]byte{}, b...)
	}
	if cap(g.slab)-len(g.slab) < len(b) {
		g.slab = make([]byte, 0, slab)
	}
	from := len(g.slab)
	g.slab = append(g.slab, b...)
	return g.slab[from:len(g.slab):len(g.slab)]
}

// complete adds to a proof what the tree does not hold.
func (g *proving) complete(q *merkle.Request, p *merkle.Proof) {
	if p.Upgrade != nil {
		p.Upgrade.Signature = g.state.signature
	}
	if a := g.log.authority(); q.Manifest && a != nil && !a.Compat() {
		p.Manifest = a.Manifest().Encode()
	}
}
