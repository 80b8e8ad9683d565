package evilpeer

import (
	"bytes"
	"time"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// onAnswers is what can be answered when the target asks for blocks.
func onAnswers() []Misbehaviour {
	return []Misbehaviour{
		{Name: "wrong block", What: "a block with a changed bit", Run: falsify(func(p *merkle.Proof) {
			p.Block.Value = bytes.Clone(p.Block.Value)
			p.Block.Value[0] ^= 1
		})},
		{Name: "wrong index", What: "the right block under another number", Run: falsify(func(p *merkle.Proof) { p.Block.Index ^= 1 })},
		{Name: "neighbour's block", What: "the proof of another block", Run: lie(liar{answer: neighbour})},
		{Name: "wrong node", What: "a proof with a changed hash", Run: falsify(func(p *merkle.Proof) {
			for i := range p.Block.Nodes {
				p.Block.Nodes[i].Hash[3] ^= 1
			}
			p.Block.Value = append(bytes.Clone(p.Block.Value), 1)
		})},
		{Name: "missing node", What: "a proof that ends early", Run: falsify(func(p *merkle.Proof) { p.Block.Nodes = p.Block.Nodes[:len(p.Block.Nodes)/2] })},
		{Name: "extra node", What: "a proof with a node too many", Run: falsify(func(p *merkle.Proof) {
			p.Block.Nodes = append(p.Block.Nodes, merkle.Node{Index: 1 << 40, Size: 7})
		})},
		{Name: "zero-length block", What: "nothing in place of a block", Run: falsify(func(p *merkle.Proof) { p.Block.Value = nil })},
		{Name: "largest block", What: "15 MiB in place of a block", Run: falsify(func(p *merkle.Proof) { p.Block.Value = make([]byte, 15<<20) }),
			Budget: Budget{Heap: 256 << 20, Honest: 20 * time.Second}},
		{Name: "wrong fork", What: "answers of another fork", Run: falsify(func(p *merkle.Proof) { p.Fork += 3 })},
		{Name: "silence", What: "claims all, and answers nothing", Run: lie(liar{answer: silence})},
		{Name: "silence about blocks", What: "gives the head and no block", Run: lie(liar{answer: silentBlocks})},
		{Name: "passed over", What: "answers all but every tenth block", Run: lie(liar{answer: passOver}), Budget: Budget{Honest: 10 * time.Second}},
		{Name: "no data", What: "claims all, has nothing, and claims again", Run: lie(liar{answer: noData})},
		{Name: "withdrawal", What: "takes back what it is asked for", Run: lie(liar{answer: withdrawal})},
		{Name: "slow answers", What: "ten answers a second", Run: lie(liar{answer: slowly})},
		{Name: "answers twice", What: "each answer comes three times", Run: lie(liar{answer: thrice})},
		{Name: "unknown ids", What: "answers to what was not asked", Run: falsify(func(p *merkle.Proof) { p.Request += 1 << 30 })},
		{Name: "answers to cancels", What: "answers only what is taken back", Run: lie(liar{answer: silentBlocks, cancel: late})},
		{Name: "array bomb", What: "a proof that claims a million nodes", Run: lie(liar{answer: arrayBomb})},
		{Name: "push spam", What: "blocks that nobody asked for", Run: again(pushSpam), Budget: Budget{Heap: 48 << 20}},
	}
}

func neighbour(l *lies, q *merkle.Request) []mux.Message {
	if q.Block == nil || q.Upgrade != nil {
		return l.honest(q, nil)
	}
	other := *q
	other.Block = &merkle.BlockRequest{Index: q.Block.Index ^ 1, Nodes: q.Block.Nodes}
	return l.honest(&other, func(p *merkle.Proof) {
		if p.Block != nil {
			p.Block.Index = q.Block.Index
		}
	})
}

func silence(*lies, *merkle.Request) []mux.Message { return nil }

func silentBlocks(l *lies, q *merkle.Request) []mux.Message {
	if q.Block != nil {
		return nil
	}
	return l.honest(q, nil)
}

func passOver(l *lies, q *merkle.Request) []mux.Message {
	if q.Block != nil && q.Block.Index%10 == 3 {
		return nil
	}
	return l.honest(q, nil)
}

func noData(l *lies, q *merkle.Request) []mux.Message {
	if q.Block == nil {
		return l.honest(q, nil)
	}
	claim := wire.Range{Length: l.speaker.target.Wants.Head().Length}
	return append(l.none(q), message(1, wire.TypeRange, claim.Append(nil)))
}

func withdrawal(l *lies, q *merkle.Request) []mux.Message {
	if q.Block == nil {
		return l.honest(q, nil)
	}
	return []mux.Message{message(1, wire.TypeRange, wire.Range{Drop: true, Start: q.Block.Index, Length: 1}.Append(nil))}
}

func slowly(l *lies, q *merkle.Request) []mux.Message {
	l.rest(100 * time.Millisecond)
	return l.honest(q, nil)
}

func thrice(l *lies, q *merkle.Request) []mux.Message {
	m := l.honest(q, nil)
	return append(append(m, m...), m[0])
}

func late(l *lies, id uint64) []mux.Message {
	return l.honest(&merkle.Request{ID: id, Block: &merkle.BlockRequest{Index: id % l.speaker.target.Wants.Head().Length}}, nil)
}

func arrayBomb(_ *lies, q *merkle.Request) []mux.Message {
	b := compact.AppendUint([]byte{1}, q.ID) // a block
	b = append(b, 0, 0, 0)                   // of fork 0, with number 0 and no bytes
	return []mux.Message{message(1, wire.TypeData, compact.AppendUint(b, 1<<20))}
}
