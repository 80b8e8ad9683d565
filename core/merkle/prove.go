package merkle

import (
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/internal/compact"
)

// Prologue is what a manifest may say about the beginning of a core: its first Length blocks have this tree hash.
type Prologue struct {
	Hash   Hash
	Length uint64
}

// Prove answers a request from tree t and its stored nodes: [NewPlan], one read, [Plan.Build]. The caller adds the block's
// value, the head's signature and the manifest. prologue is that of the manifest, nil without one.
func Prove(r Reader, t *Tree, prologue *Prologue, q *Request) (*Proof, error) {
	plan, err := NewPlan(r, t, prologue, q)
	if err != nil {
		return nil, err
	}
	nodes, err := readAll(r, plan.Indexes())
	if err != nil {
		return nil, fmt.Errorf("prove request %d: %w", q.ID, err)
	}
	return plan.Build(nodes)
}

// Plan is the list of nodes that an answer is made of.
type Plan struct {
	request *Request
	fork    uint64
	start   uint64   // of the upgrade
	length  uint64   // of the upgrade
	node    []uint64 // block or hash; nil is no such section
	seek    []uint64 // nil is no such section
	upgrade []uint64
	more    []uint64 // from the end of the upgrade to the head
	empty   bool     // the tree has no blocks: every section is left out
}

// NewPlan lists the nodes for an answer. Only a request with a seek needs r, for the descent to the position.
//
// Errors: ErrWrongFork; ErrInvalidUpgrade when the upgrade is empty or ends past the tree; ErrOutOfBounds when the block,
// the node or the path climbs out of the tree that is proven; ErrInvalidRequest when a seek goes with a block or node
// inside the upgrade, or outside of the part that its block or node proves; ErrMissingNode and ErrUnsureSize when a
// sparse store cannot answer.
func NewPlan(r Reader, t *Tree, prologue *Prologue, q *Request) (*Plan, error) {
	p := &Plan{request: q, fork: t.Fork}
	if q.Fork != t.Fork {
		return nil, fmt.Errorf("request %d for fork %d, have %d: %w", q.ID, q.Fork, t.Fork, ErrWrongFork)
	}
	if t.Length == 0 {
		p.empty = true
		return p, nil
	}
	to, err := p.bounds(t, prologue)
	if err != nil {
		return nil, err
	}
	target, err := newTarget(q, to)
	if err != nil {
		return nil, err
	}
	within := to // node that the plan's path leads into; 'to' is none
	switch {
	case target != nil && (q.Upgrade == nil || target.end <= p.start):
		err = p.proveBelow(r, t, target, to)
	case target != nil && q.Seek != nil:
		err = fmt.Errorf("%w: seek beside a block or node inside the upgrade", ErrInvalidRequest)
	case target != nil:
		within = target.index
	case q.Seek != nil && q.Upgrade != nil:
		within, err = seekHead(r, t, to/2, q.Seek)
	}
	if err != nil {
		return nil, fmt.Errorf("request %d: %w", q.ID, err)
	}
	if q.Upgrade != nil {
		p.proveUpgrade(target, within, to)
		p.more = GrowthIndexes(nil, to/2, t.Length)
	}
	if target != nil && p.node == nil {
		return nil, fmt.Errorf("request %d: node %d is above the upgrade's start: %w", q.ID, target.index, ErrOutOfBounds)
	}
	return p, nil
}

// bounds settles which part of the tree is proven: it returns twice the number of its blocks, the number of the first leaf
// outside.
func (p *Plan) bounds(t *Tree, prologue *Prologue) (to uint64, err error) {
	u := p.request.Upgrade
	if u == nil {
		return 2 * t.Length, nil
	}
	p.start, p.length = u.Start, u.Length
	if prologue != nil && p.start < prologue.Length {
		p.start, p.length = 0, prologue.Length
	}
	if p.length == 0 || p.start > compact.MaxSafe || p.length > compact.MaxSafe || p.start+p.length > t.Length {
		return 0, fmt.Errorf("request %d: upgrade of %d+%d blocks, have %d: %w", p.request.ID, p.start, p.length, t.Length, ErrInvalidUpgrade)
	}
	return 2 * (p.start + p.length), nil
}

// target is the block or node that a request is about.
type target struct {
	index   uint64 // node
	end     uint64 // first block to the right of it
	nodes   uint64 // levels up
	isBlock bool
}

// newTarget returns what the request is about, nil when it is about neither a block nor a node.
func newTarget(q *Request, to uint64) (*target, error) {
	var g target
	switch {
	case q.Block != nil && q.Block.Index >= to/2:
		return nil, fmt.Errorf("request %d: block %d of %d: %w", q.ID, q.Block.Index, to/2, ErrOutOfBounds)
	case q.Block != nil:
		g = target{index: 2 * q.Block.Index, nodes: q.Block.Nodes, isBlock: true}
	case q.Hash != nil:
		g = target{index: q.Hash.Index, nodes: q.Hash.Nodes}
	default:
		return nil, nil
	}
	if g.index >= to || RightSpan(g.index) >= to {
		return nil, fmt.Errorf("request %d: node %d of %d blocks: %w", q.ID, g.index, to/2, ErrOutOfBounds)
	}
	g.end = RightSpan(g.index)/2 + 1
	return &g, nil
}

// proveBelow lists the path of a block or node in the part that the asker has the roots of, and the seek beside it.
func (p *Plan) proveBelow(r Reader, t *Tree, g *target, to uint64) error {
	top := g.index
	for range min(g.nodes, MaxPath) {
		if top = ParentIndex(top); RightSpan(top) >= to {
			return fmt.Errorf("%d levels above node %d: %w", g.nodes, g.index, ErrOutOfBounds)
		}
	}
	at := to
	if p.request.Seek != nil {
		var err error
		if at, err = seekBelow(r, t, top, p.request.Seek); err != nil {
			return err
		}
	}
	p.addPath(g, at, top)
	return nil
}

// addPath lists the siblings from the block or node (if there is one) up to top. Where one of them has the seek's node
// below it, the path from there replaces it.
func (p *Plan) addPath(g *target, at, top uint64) {
	if g == nil {
		p.addSeek(at, top)
		return
	}
	p.node = []uint64{}
	if !g.isBlock {
		p.node = append(p.node, g.index)
	}
	for i := g.index; i != top; i = ParentIndex(i) {
		s := Sibling(i)
		if p.request.Seek != nil && s != at && Contains(s, at) {
			p.addSeek(at, s)
			continue
		}
		p.node = append(p.node, s)
	}
}

// addSeek lists the seek's node and the siblings up to top.
func (p *Plan) addSeek(at, top uint64) {
	p.seek = []uint64{at}
	for i := at; i != top; i = ParentIndex(i) {
		p.seek = append(p.seek, Sibling(i))
	}
}

// proveUpgrade lists the nodes of the upgrade. The one that has the node within below it is left out: the path from there
// takes its place.
func (p *Plan) proveUpgrade(g *target, within, to uint64) {
	var scratch [MaxPath]uint64
	for _, index := range GrowthIndexes(scratch[:0], p.start, to/2) {
		if p.node == nil && p.seek == nil && within != to && Contains(index, within) {
			p.addPath(g, within, index)
			continue
		}
		p.upgrade = append(p.upgrade, index)
	}
}

// Indexes returns the nodes to read, in the order in which Build takes them.
func (p *Plan) Indexes() []uint64 {
	return slices.Concat(p.node, p.seek, p.upgrade, p.more)
}

// Build makes the proof from the nodes of Indexes, in that order. It fails with ErrMissingNode when one is zero or lacks, and
// with ErrUnsureSize when a size that may be wrong would break the proof: whoever checks it would blame us.
func (p *Plan) Build(nodes []Node) (*Proof, error) {
	if want := len(p.node) + len(p.seek) + len(p.upgrade) + len(p.more); len(nodes) != want {
		return nil, fmt.Errorf("%w: %d nodes of %d", ErrMissingNode, len(nodes), want)
	}
	for i, index := range p.Indexes() {
		if nodes[i].IsZero() || nodes[i].Index != index {
			return nil, fmt.Errorf("%w: %d", ErrMissingNode, index)
		}
	}
	take := func(n int) (list []Node) {
		list, nodes = nodes[:n:n], nodes[n:]
		return list
	}
	q := p.request
	proof := newProof(q.ID, p.fork, p.node != nil && q.Block != nil)
	switch {
	case p.node == nil:
	case q.Block != nil:
		proof.Block.Index, proof.Block.Nodes = q.Block.Index, take(len(p.node))
	default:
		proof.Hash = &HashProof{Index: q.Hash.Index, Nodes: take(len(p.node))}
	}
	if p.seek != nil {
		proof.Seek = &SeekProof{Bytes: q.Seek.Bytes, Nodes: take(len(p.seek))}
	}
	if q.Upgrade != nil && !p.empty {
		proof.Upgrade = &UpgradeProof{Start: p.start, Length: p.length, Nodes: take(len(p.upgrade)), Additional: take(len(p.more))}
	}
	if err := proof.checkSizes(); err != nil {
		return nil, err
	}
	return proof, nil
}

// checkSizes looks for unsure sizes in a proof to be sent. Two siblings at the start of a list may have them: their sum is
// right, and all that the checker of the proof will take from them.
func (p *Proof) checkSizes() error {
	if p.Block != nil && anyUnsure(p.Block.Nodes) || p.Hash != nil && anyUnsure(afterPair(p.Hash.Nodes)) ||
		p.Seek != nil && anyUnsure(afterPair(p.Seek.Nodes)) ||
		p.Upgrade != nil && (anyUnsure(p.Upgrade.Nodes) || anyUnsure(p.Upgrade.Additional)) {
		return fmt.Errorf("prove request %d: %w", p.Request, ErrUnsureSize)
	}
	return nil
}

// afterPair returns the nodes after the two siblings that a list starts with, if it does.
func afterPair(list []Node) []Node {
	if len(list) >= 2 && list[1].Index == Sibling(list[0].Index) {
		return list[2:]
	}
	return list
}

func anyUnsure(list []Node) bool {
	return slices.ContainsFunc(list, func(n Node) bool { return n.Unsure })
}
