package merkle_test

import (
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

func TestAnswers(t *testing.T) {
	l := newLog(newSigner(), 0, testBlocks(seeded(t), 20))
	ask := func() *merkle.Request {
		return &merkle.Request{ID: 5, Manifest: true, Block: &merkle.BlockRequest{Index: 2, Nodes: 4}, Hash: &merkle.HashRequest{Index: 6},
			Seek: &merkle.SeekRequest{Bytes: 1}, Upgrade: &merkle.UpgradeRequest{Start: 16, Length: 4}}
	}
	for _, test := range []struct {
		name string
		edit func(*merkle.Request, *merkle.Proof)
		want bool
	}{
		{"all", func(q *merkle.Request, p *merkle.Proof) {}, true},
		{"with manifest", func(q *merkle.Request, p *merkle.Proof) { p.Manifest = []byte{1} }, true},
		{"unasked manifest", func(q *merkle.Request, p *merkle.Proof) { q.Manifest, p.Manifest = false, []byte{1} }, false},
		{"no seek", func(q *merkle.Request, p *merkle.Proof) { p.Seek = nil }, true},
		{"other seek", func(q *merkle.Request, p *merkle.Proof) { q.Seek.Bytes++ }, false},
		{"unasked seek", func(q *merkle.Request, p *merkle.Proof) { q.Seek = nil }, false},
		{"other id", func(q *merkle.Request, p *merkle.Proof) { q.ID++ }, false},
		{"other fork", func(q *merkle.Request, p *merkle.Proof) { q.Fork++ }, false},
		{"other block", func(q *merkle.Request, p *merkle.Proof) { q.Block.Index++ }, false},
		{"no block", func(q *merkle.Request, p *merkle.Proof) { p.Block = nil }, false},
		{"unasked block", func(q *merkle.Request, p *merkle.Proof) { q.Block = nil }, false},
		{"unasked hash", func(q *merkle.Request, p *merkle.Proof) { p.Hash = &merkle.HashProof{Index: 6} }, false},
		{"hash for hash", func(q *merkle.Request, p *merkle.Proof) {
			q.Block, p.Block, p.Hash = nil, nil, &merkle.HashProof{Index: 6}
		}, true},
		{"other hash", func(q *merkle.Request, p *merkle.Proof) {
			q.Block, p.Block, p.Hash = nil, nil, &merkle.HashProof{Index: 7}
		}, false},
		{"no upgrade", func(q *merkle.Request, p *merkle.Proof) { p.Upgrade = nil }, false},
		{"unasked upgrade", func(q *merkle.Request, p *merkle.Proof) { q.Upgrade = nil }, false},
	} {
		q := ask()
		p := l.mustProve(t, q)
		test.edit(q, p)
		if p.Answers(q) != test.want {
			t.Errorf("%s: %v", test.name, !test.want)
		}
	}
}

// A list may not be longer than the longest that makes sense, whatever the message has room for.
func TestDecodeProofLimits(t *testing.T) {
	p := &merkle.Proof{Hash: &merkle.HashProof{Nodes: make([]merkle.Node, merkle.MaxPath)}}
	if _, err := merkle.DecodeProof(merkle.AppendProof(nil, p)); err != nil {
		t.Error(err)
	}
	p.Hash.Nodes = append(p.Hash.Nodes, merkle.Node{})
	if _, err := merkle.DecodeProof(merkle.AppendProof(nil, p)); !errors.Is(err, merkle.ErrInvalidProof) {
		t.Errorf("%d nodes: %v", merkle.MaxPath+1, err)
	}
	for _, b := range [][]byte{nil, {16, 1, 0}, {2, 1, 0, 4, 200}} {
		if _, err := merkle.DecodeProof(b); !errors.Is(err, merkle.ErrInvalidProof) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

func TestTreeErrors(t *testing.T) {
	node := func(index, size uint64) merkle.Node {
		return merkle.Node{Index: index, Size: size, Hash: merkle.Hash{1}}
	}
	for name, roots := range map[string][]merkle.Node{
		"not a root":   {node(2, 1)},
		"two leaves":   {node(0, 1), node(2, 1)},
		"wrong order":  {node(4, 1), node(1, 1)},
		"too many":     {node(1<<53-1, 1)},
		"too large":    {node(0, 1<<53)},
		"sum too high": {node(1, 1<<53-1), node(4, 1)},
	} {
		if _, err := merkle.NewTree(0, roots); !errors.Is(err, merkle.ErrInvalidTree) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l := newLog(nil, 0, testBlocks(seeded(t), 5))
	if _, err := l.tree.Grow(1, nil); !errors.Is(err, merkle.ErrMissingNode) {
		t.Errorf("growth without nodes: %v", err)
	}
	if _, err := l.tree.Grow(1<<63, nil); !errors.Is(err, merkle.ErrInvalidTree) {
		t.Errorf("endless growth: %v", err)
	}
	if same, err := l.tree.Grow(0, nil); err != nil || same.Hash() != l.tree.Hash() {
		t.Errorf("no growth: %v", err)
	}
	if _, err := merkle.TreeAt(l, &l.tree, 6); !errors.Is(err, merkle.ErrOutOfRange) {
		t.Errorf("longer than it is: %v", err)
	}
	if _, _, err := merkle.ByteRange(l, &l.tree, 5); !errors.Is(err, merkle.ErrOutOfRange) {
		t.Errorf("block past the end: %v", err)
	}
}
