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
// for; larger ones are read one by one, which saves a copy, unless there is memory to copy them to. scanFrom is from how many
// neighbours on.
const (
	scanBelow = 16 << 10
	scanFrom  = 4
)

// ProveAll answers requests as Prove does, with one look at the store for all of them: much faster than one by one when they
// are for neighbours. The caller sees to it that the answers fit into memory. Answers stand in the order of the requests.
func (c *Core) ProveAll(ctx context.Context, requests []*merkle.Request) []Answer {
	return c.proveAll(ctx, requests, &proving{})
}

// Prover answers requests in memory that it uses again: for those who answer many, and send the answers before they ask for the
// next ones. The zero value is ready. It is not safe for concurrent use.
type Prover struct{ arena arena }

// ProveAll is [Core.ProveAll]. The bytes of the blocks are valid until the next call.
func (p *Prover) ProveAll(ctx context.Context, c *Core, requests []*merkle.Request) []Answer {
	p.arena.reset()
	g := proving{arena: p.arena, again: true}
	answers := c.proveAll(ctx, requests, &g)
	p.arena = g.arena
	return answers
}

func (c *Core) proveAll(ctx context.Context, requests []*merkle.Request, g *proving) []Answer {
	answers := make([]Answer, len(requests))
	g.log, g.requests, g.answers = c.log, requests, answers
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
	arena    arena
	again    bool // the arena was used before
}

// run fills in the answers. The error concerns all of them.
func (g *proving) run(ctx context.Context) error {
	l, st := g.log, g.state
	if a := l.authority(); a != nil {
		if pro, ok := a.Prologue(); ok {
			g.prologue = &pro
		}
	}
	if g.fromFresh() {
		return nil
	}
	for i, q := range g.requests {
		if q.Block != nil && q.Block.Index < st.length {
			g.answers[i].Err = l.need(ctx, q.Block.Index)
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
	from := scanFrom
	if g.again {
		from = 2
	} else if g.state.byteLength >= scanBelow*g.state.length {
		from = len(g.answers) + 1
	}
	for i := 0; i < len(g.answers); {
		n := g.neighbours(i)
		if n >= from {
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
		a.Proof.Block.Value, a.Err = g.arena.keep(rec.Value), nil
	}
}

// arena is memory for blocks: slabs that are filled one after the other.
type arena struct {
	slabs [][]byte
	full  int // slabs that have no more room
	size  int // of all slabs, in bytes
}

const (
	slabBytes  = 64 << 10
	arenaBytes = 1 << 20 // the most that is used again
)

// keep copies a block's bytes.
func (a *arena) keep(b []byte) []byte {
	for ; a.full < len(a.slabs); a.full++ {
		slab := a.slabs[a.full]
		if from, to := len(slab), len(slab)+len(b); to <= cap(slab) {
			a.slabs[a.full] = append(slab, b...)
			return slab[from:to:to]
		}
	}
	slab := append(make([]byte, 0, max(slabBytes, len(b))), b...)
	a.slabs = append(a.slabs, slab)
	a.size += cap(slab)
	return slab[:len(b):len(b)]
}

// reset makes all of it free again.
func (a *arena) reset() {
	if a.size > arenaBytes {
		*a = arena{}
	}
	for i := range a.slabs {
		a.slabs[i] = a.slabs[i][:0]
	}
	a.full = 0
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
