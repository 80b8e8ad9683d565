package merkle_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/vectors"
)

// jsonNode is a node of the golden data.
type jsonNode struct {
	Index, Size uint64
	Hash        vectors.Hex
}

func (n jsonNode) node(t testing.TB) merkle.Node {
	return merkle.Node{Index: n.Index, Size: n.Size, Hash: merkle.Hash(n.Hash.Array32(t))}
}

func nodesOf(t testing.TB, list []jsonNode) []merkle.Node {
	nodes := make([]merkle.Node, len(list))
	for i := range list {
		nodes[i] = list[i].node(t)
	}
	return nodes
}

func notEmpty[T any](t *testing.T, name string, list []T) {
	t.Helper()
	if len(list) == 0 {
		t.Fatalf("golden data: no %s", name)
	}
}

func TestVectorsHashes(t *testing.T) {
	var v struct {
		LeafHash []struct {
			Data vectors.Hex
			Hash string
		}
		ParentHash []struct {
			Left, Right                jsonNode
			Hash, HashArgumentsSwapped string
		}
		TreeHash []struct {
			Roots []jsonNode
			Hash  string
		}
	}
	vectors.Load(t, "crypto.json", &v)
	notEmpty(t, "leafHash", v.LeafHash)
	notEmpty(t, "parentHash", v.ParentHash)
	notEmpty(t, "treeHash", v.TreeHash)
	for i, c := range v.LeafHash {
		if got := merkle.LeafHash(c.Data).String(); got != c.Hash {
			t.Errorf("leafHash %d: %s, want %s", i, got, c.Hash)
		}
	}
	for i, c := range v.ParentHash {
		l, r := c.Left.node(t), c.Right.node(t)
		if got := merkle.ParentHash(l, r).String(); got != c.Hash {
			t.Errorf("parentHash %d: %s, want %s", i, got, c.Hash)
		}
		if got := merkle.ParentHash(r, l).String(); got != c.HashArgumentsSwapped {
			t.Errorf("parentHash %d swapped: %s, want %s", i, got, c.HashArgumentsSwapped)
		}
	}
	for i, c := range v.TreeHash {
		tree := merkle.Tree{Roots: nodesOf(t, c.Roots)}
		if got := tree.Hash().String(); got != c.Hash {
			t.Errorf("treeHash %d: %s, want %s", i, got, c.Hash)
		}
	}
}

// merkleVectors is the part of merkle.json that does not document faults.
type merkleVectors struct {
	FlatTree []struct {
		Index, Depth, Offset, Parent, Sibling, CountLeaves uint64
		Children                                           []uint64
		Spans                                              [2]uint64
	}
	FullRoots []struct {
		Length uint64
		Roots  []uint64
	}
	Patch []struct {
		From, To uint64
		Nodes    []uint64
	}
	SignerSeed, PublicKey, Key, Manifest vectors.Hex
	Blocks                               []vectors.Hex
	Trees                                []struct {
		Length, ByteLength, Fork uint64
		Roots                    []jsonNode
		TreeHash                 string
		Signable, Signature      vectors.Hex
		Compat                   struct{ Key, Signable, Signature vectors.Hex }
		StoredNodes              []jsonNode
	}
	Offsets struct {
		Length, ByteLength uint64
		Blocks             []*uint64
		Tree               []struct {
			Index, Size uint64
			Offset      *uint64
		}
		Seeks []jsonSeek
	}
	PaddedSeeks struct {
		Padding uint64
		Blocks  []vectors.Hex
		Seeks   []jsonSeek
	}
	Truncation []struct {
		Op           map[string]any
		Length, Fork uint64
		ByteLength   uint64
		TreeHash     string
		Roots        []jsonNode
		Signature    vectors.Hex
		StoredNodes  []uint64
	}
}

type jsonSeek struct {
	Bytes  uint64
	Result *[2]uint64
}

func loadMerkle(t *testing.T) *merkleVectors {
	var v merkleVectors
	vectors.Load(t, "merkle.json", &v)
	return &v
}

func bytesOf(list []vectors.Hex) [][]byte {
	blocks := make([][]byte, len(list))
	for i := range list {
		blocks[i] = list[i]
	}
	return blocks
}

func TestVectorsFlatTree(t *testing.T) {
	v := loadMerkle(t)
	notEmpty(t, "flatTree", v.FlatTree)
	for _, c := range v.FlatTree {
		got := []uint64{uint64(merkle.Depth(c.Index)), merkle.Offset(c.Index), merkle.ParentIndex(c.Index), merkle.Sibling(c.Index),
			merkle.LeftSpan(c.Index), merkle.RightSpan(c.Index), merkle.Leaves(c.Index)}
		want := []uint64{c.Depth, c.Offset, c.Parent, c.Sibling, c.Spans[0], c.Spans[1], c.CountLeaves}
		if !slices.Equal(got, want) {
			t.Errorf("node %d: %v, want %v", c.Index, got, want)
		}
		if back := merkle.Index(uint(c.Depth), c.Offset); back != c.Index {
			t.Errorf("node %d: Index(%d, %d) = %d", c.Index, c.Depth, c.Offset, back)
		}
		left, right, ok := merkle.Children(c.Index)
		if ok != (c.Children != nil) || ok && !slices.Equal([]uint64{left, right}, c.Children) {
			t.Errorf("children of %d: %d %d %v, want %v", c.Index, left, right, ok, c.Children)
		}
	}
}

func TestVectorsFullRoots(t *testing.T) {
	v := loadMerkle(t)
	notEmpty(t, "fullRoots", v.FullRoots)
	for _, c := range v.FullRoots {
		if got := merkle.FullRoots(nil, c.Length); !slices.Equal(got, c.Roots) {
			t.Errorf("roots of %d: %v, want %v", c.Length, got, c.Roots)
		}
	}
}

// anyone signs nothing and believes everything.
type anyone struct{}

func (anyone) VerifyTree(*merkle.Tree, []byte) error { return nil }
func (anyone) Prologue() (merkle.Prologue, bool)     { return merkle.Prologue{}, false }

// The golden patch lists all nodes, received and computed, of an upgrade, in the order in which they come to be. It leaves
// patches from the empty tree out.
func TestVectorsPatch(t *testing.T) {
	v := loadMerkle(t)
	notEmpty(t, "patch", v.Patch)
	fake := func(indexes []uint64) (nodes []merkle.Node) {
		for _, index := range indexes {
			nodes = append(nodes, merkle.Node{Index: index, Hash: merkle.Hash{1}})
		}
		return nodes
	}
	for _, c := range v.Patch {
		if c.From == 0 {
			if len(c.Nodes) != 0 {
				t.Errorf("patch 0 to %d: golden data has %v", c.To, c.Nodes)
			}
			continue
		}
		tree, err := merkle.NewTree(0, fake(merkle.FullRoots(nil, c.From)))
		if err != nil {
			t.Fatal(err)
		}
		given := fake(merkle.GrowthIndexes(nil, c.From, c.To))
		up := &merkle.UpgradeProof{Start: c.From, Length: c.To - c.From, Nodes: given}
		got, err := merkle.Check(newMemory(), &tree, anyone{}, &merkle.Proof{Upgrade: up})
		if err != nil {
			t.Fatal(err)
		}
		var indexes []uint64
		for _, n := range got.Nodes {
			indexes = append(indexes, n.Index)
		}
		if !slices.Equal(indexes, c.Nodes) {
			t.Errorf("patch %d to %d: %v, want %v", c.From, c.To, indexes, c.Nodes)
		}
	}
}

func authority(t testing.TB, key, encoded vectors.Hex, legacy bool) *manifest.Authority {
	t.Helper()
	var m *manifest.Manifest
	if len(encoded) > 0 {
		var err error
		if m, err = manifest.Decode(encoded); err != nil {
			t.Fatal(err)
		}
	}
	a, err := manifest.NewAuthority(keys.Key(key.Array32(t)), m, manifest.Options{Legacy: legacy})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestVectorsTrees(t *testing.T) {
	v := loadMerkle(t)
	notEmpty(t, "trees", v.Trees)
	notEmpty(t, "blocks", v.Blocks)
	auth := authority(t, v.Key, v.Manifest, false)
	compat := authority(t, v.Trees[0].Compat.Key, nil, false)
	pair := keys.PairFromSeed(keys.Seed(v.SignerSeed.Array32(t)))
	blocks := bytesOf(v.Blocks)
	for _, c := range v.Trees {
		t.Run(fmt.Sprint(c.Length), func(t *testing.T) {
			l := newLog(nil, c.Fork, blocks[:c.Length])
			if l.tree.Length != c.Length || l.tree.ByteLength != c.ByteLength || l.tree.Hash().String() != c.TreeHash {
				t.Fatalf("tree %d, %d bytes, %v", l.tree.Length, l.tree.ByteLength, l.tree.Hash())
			}
			if !slices.Equal(l.tree.Roots, nodesOf(t, c.Roots)) {
				t.Fatalf("roots %v", l.tree.Roots)
			}
			back, err := merkle.NewTree(c.Fork, nodesOf(t, c.Roots))
			if err != nil || back.Length != c.Length || back.ByteLength != c.ByteLength {
				t.Fatalf("from roots: %d, %d bytes, %v", back.Length, back.ByteLength, err)
			}
			for _, n := range nodesOf(t, c.StoredNodes) {
				if l.nodes[n.Index] != n {
					t.Fatalf("node %d: %v, want %v", n.Index, l.nodes[n.Index], n)
				}
			}
			if c.StoredNodes != nil && len(c.StoredNodes) != len(l.nodes) {
				t.Fatalf("%d nodes, want %d", len(l.nodes), len(c.StoredNodes))
			}
			checkSigned(t, auth, pair, &l.tree, c.Signable, c.Signature)
			checkSigned(t, compat, pair, &l.tree, c.Compat.Signable, c.Compat.Signature)
		})
	}
}

// checkSigned compares what an authority signs with the golden bytes, and has it verify these.
func checkSigned(t *testing.T, a *manifest.Authority, pair keys.Pair, tree *merkle.Tree, signable, signature vectors.Hex) {
	t.Helper()
	if got := a.Signable(tree, 0); !slices.Equal(got, signable) {
		t.Errorf("signable %x, want %v", got, signable)
	}
	got, err := a.Sign(pair, tree)
	if err != nil || !slices.Equal(got, signature) {
		t.Errorf("signature %x, %v, want %v", got, err, signature)
	}
	if err := a.VerifyTree(tree, signature); err != nil {
		t.Error(err)
	}
}

func TestVectorsOffsets(t *testing.T) {
	v := loadMerkle(t)
	o := v.Offsets
	notEmpty(t, "offsets.blocks", o.Blocks)
	notEmpty(t, "offsets.tree", o.Tree)
	l := newLog(nil, 0, bytesOf(v.Blocks)[:o.Length])
	if l.tree.ByteLength != o.ByteLength {
		t.Fatalf("%d bytes, want %d", l.tree.ByteLength, o.ByteLength)
	}
	naive := []uint64{0}
	for _, block := range l.blocks {
		naive = append(naive, naive[len(naive)-1]+uint64(len(block)))
	}
	for i, want := range o.Blocks {
		got, err := merkle.ByteOffset(l, &l.tree, uint64(i))
		if err != nil || got != naive[i] || want != nil && got != *want {
			t.Errorf("offset of block %d: %d, %v, want %d", i, got, err, naive[i])
		}
	}
	for i, block := range l.blocks {
		offset, size, err := merkle.ByteRange(l, &l.tree, uint64(i))
		if err != nil || offset != naive[i] || size != uint64(len(block)) {
			t.Errorf("range of block %d: %d+%d, %v", i, offset, size, err)
		}
	}
	for _, c := range o.Tree {
		got, err := merkle.ByteOffset(l, &l.tree, merkle.LeftSpan(c.Index)/2)
		if err != nil || got != naive[merkle.LeftSpan(c.Index)/2] || c.Offset != nil && got != *c.Offset {
			t.Errorf("offset of node %d: %d, %v", c.Index, got, err)
		}
		if l.nodes[c.Index].Size != c.Size {
			t.Errorf("size of node %d: %d, want %d", c.Index, l.nodes[c.Index].Size, c.Size)
		}
	}
	checkSeeks(t, l, 0, o.Seeks)
}

func TestVectorsPaddedSeeks(t *testing.T) {
	v := loadMerkle(t).PaddedSeeks
	notEmpty(t, "paddedSeeks.blocks", v.Blocks)
	checkSeeks(t, newLog(nil, 0, bytesOf(v.Blocks)), v.Padding, v.Seeks)
}

func checkSeeks(t *testing.T, l *log, padding uint64, seeks []jsonSeek) {
	notEmpty(t, "seeks", seeks)
	for _, c := range seeks {
		block, offset, err := merkle.Seek(l, &l.tree, c.Bytes, padding)
		switch {
		case c.Result == nil:
			if !errors.Is(err, merkle.ErrOutOfRange) {
				t.Errorf("seek %d: %d+%d, %v, want the end", c.Bytes, block, offset, err)
			}
		case err != nil || block != c.Result[0] || offset != c.Result[1]:
			t.Errorf("seek %d: %d+%d, %v, want %v", c.Bytes, block, offset, err, *c.Result)
		}
	}
}

func TestVectorsTruncation(t *testing.T) {
	v := loadMerkle(t)
	notEmpty(t, "truncation", v.Truncation)
	auth := authority(t, v.Key, v.Manifest, false)
	pair := keys.PairFromSeed(keys.Seed(v.SignerSeed.Array32(t)))
	l := newLog(nil, 0, nil)
	for i, c := range v.Truncation {
		if to, ok := c.Op["append"]; ok {
			var a, b int
			if _, err := fmt.Sscanf(to.(string), "%d..%d", &a, &b); err != nil {
				t.Fatal(err)
			}
			l.append(bytesOf(v.Blocks)[a:b])
		} else {
			truncateLog(t, l, c.Op)
		}
		if l.tree.Length != c.Length || l.tree.Fork != c.Fork || l.tree.ByteLength != c.ByteLength || l.tree.Hash().String() != c.TreeHash {
			t.Fatalf("step %d %v: %+v", i, c.Op, l.tree)
		}
		if !slices.Equal(l.tree.Roots, nodesOf(t, c.Roots)) {
			t.Fatalf("step %d %v: roots %v", i, c.Op, l.tree.Roots)
		}
		want := slices.DeleteFunc(slices.Clone(c.StoredNodes), func(index uint64) bool { return !merkle.Complete(index, c.Length) })
		if got := l.indexes(); !slices.Equal(got, want) {
			t.Fatalf("step %d %v: stored %v, want %v", i, c.Op, got, want)
		}
		if len(c.StoredNodes) > len(want)+1 {
			t.Fatalf("step %d %v: more than one stale node in %v", i, c.Op, c.StoredNodes)
		}
		if len(c.Signature) > 0 {
			if got, err := auth.Sign(pair, &l.tree); err != nil || !slices.Equal(got, c.Signature) {
				t.Fatalf("step %d %v: signature %x, %v, want %v", i, c.Op, got, err, c.Signature)
			}
		}
	}
}

// truncateLog cuts a log as the operation says, removing the nodes that the rule lists.
func truncateLog(t *testing.T, l *log, op map[string]any) {
	t.Helper()
	number := func(name string) (uint64, bool) {
		n, ok := op[name].(json.Number)
		if !ok {
			return 0, false
		}
		i, err := n.Int64()
		if err != nil {
			t.Fatal(err)
		}
		return uint64(i), true
	}
	length, ok := number("truncate")
	if !ok {
		t.Fatalf("golden data: unknown step %v", op)
	}
	cut, err := merkle.TreeAt(l, &l.tree, length)
	if err != nil {
		t.Fatal(err)
	}
	cut.Fork++
	if fork, ok := number("fork"); ok {
		cut.Fork = fork
	}
	for _, index := range merkle.StaleBelow(nil, length, l.tree.Length) {
		delete(l.nodes, index)
	}
	for index := range l.nodes {
		if index >= 2*length {
			delete(l.nodes, index)
		}
	}
	l.tree, l.blocks = cut, l.blocks[:length]
}
