package core

import (
	"bytes"

	"github.com/hypernode/hypernode/core/merkle"
)

// fresh is what the last append added. Peers that follow a core want it as soon as it is on stable storage, and are given it
// without a look at the store. It is a merkle.Reader of its nodes alone.
type fresh struct {
	state  *state // after the append
	from   uint64 // the length before it
	blocks [][]byte
	nodes  []merkle.Node
}

// What an open core keeps of its last append: as many blocks and bytes at most.
const (
	freshBlocks = 16
	freshBytes  = 4 << 10
)

// fresh returns what is kept of the append: nil when that is too much, or when there is nobody to give it to.
func (a *appending) fresh() *fresh {
	a.log.mu.Lock()
	session := a.log.session
	a.log.mu.Unlock()
	if session == nil || len(a.data) > freshBlocks || a.next.byteLength-a.from.byteLength > freshBytes {
		return nil
	}
	f := &fresh{state: a.next, from: a.from.length, nodes: a.batch.Nodes, blocks: make([][]byte, len(a.data))}
	for i, b := range a.data {
		f.blocks[i] = bytes.Clone(b)
	}
	return f
}

// ReadNodes implements merkle.Reader.
func (f *fresh) ReadNodes(indexes []uint64) ([]merkle.Node, error) {
	nodes := make([]merkle.Node, len(indexes))
	for i, index := range indexes {
		for k := range f.nodes {
			if f.nodes[k].Index == index {
				nodes[i] = f.nodes[k]
				break
			}
		}
	}
	return nodes, nil
}

// fromFresh answers requests for nothing but blocks that were appended last, all or none.
func (g *proving) fromFresh() bool {
	f := g.log.fresh.Load()
	if f == nil || f.state != g.state || len(g.requests) > freshBlocks {
		return false
	}
	t := g.state.tree()
	for i, q := range g.requests {
		if q.Block == nil || q.Block.Index < f.from || q.Block.Index >= f.state.length || q.Seek != nil {
			return false
		}
		p, err := merkle.Prove(f, &t, g.prologue, q)
		if err != nil {
			return false // more than what is fresh is needed, or the store is to tell what is wrong
		}
		p.Block.Value = f.blocks[q.Block.Index-f.from]
		g.answers[i].Proof = p
	}
	return true
}
