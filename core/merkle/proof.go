package merkle

import (
	"fmt"

	"github.com/hypernode/hypernode/internal/compact"
)

// Proof is the answer to a Request: the body of the data message. All of it is suspect until [Check] has passed it.
type Proof struct {
	Request  uint64 // the request's ID
	Fork     uint64
	Block    *BlockProof
	Hash     *HashProof
	Seek     *SeekProof
	Upgrade  *UpgradeProof
	Manifest []byte // encoded; see DecodeProof. nil when there is none
}

// BlockProof is a block and the siblings on its way up, bottom first. The leaf itself is computed from the value.
type BlockProof struct {
	Index uint64 // block
	Value []byte
	Nodes []Node
}

// HashProof is a node of the tree, first in Nodes, and the siblings on its way up.
type HashProof struct {
	Index uint64 // node
	Nodes []Node
}

// SeekProof is the node where a byte position is, first in Nodes, and the siblings on its way up to where its path joins
// that of the block or hash, or the upgrade.
type SeekProof struct {
	Bytes uint64
	Nodes []Node
}

// UpgradeProof leads from a tree of Start blocks to one of Start+Length, and by the additional nodes on to the prover's
// current length, whose tree the signature is for.
type UpgradeProof struct {
	Start      uint64
	Length     uint64
	Nodes      []Node
	Additional []Node
	Signature  []byte // nil for a core that has no signers
}

// MaxPath is the most nodes that a list of a proof has: up one side of the highest tree there can be, and all its roots.
const MaxPath = 128

// nodeBytes is the least that a node takes on the wire.
const nodeBytes = 1 + 1 + 32

// Flags of a proof.
const (
	proofBlock    = 1
	proofHash     = 2
	proofSeek     = 4
	proofUpgrade  = 8
	proofManifest = 16
)

// AppendProof appends the wire form of p:
//
//	flags | request | fork | [block: index, buffer value, nodes] | [hash: index, nodes] | [seek: bytes, nodes]
//	      | [upgrade: start, length, nodes, additional nodes, optional buffer signature] | [manifest, as it is]
//
// where nodes is a count and for each node index, size and the 32 bytes of the hash.
func AppendProof(b []byte, p *Proof) []byte {
	b = compact.AppendUint(b, p.flags())
	b = compact.AppendUint(b, p.Request)
	b = compact.AppendUint(b, p.Fork)
	if s := p.Block; s != nil {
		b = compact.AppendUint(b, s.Index)
		b = compact.AppendBuffer(b, s.Value)
		b = appendNodes(b, s.Nodes)
	}
	if s := p.Hash; s != nil {
		b = appendNodes(compact.AppendUint(b, s.Index), s.Nodes)
	}
	if s := p.Seek; s != nil {
		b = appendNodes(compact.AppendUint(b, s.Bytes), s.Nodes)
	}
	if s := p.Upgrade; s != nil {
		b = appendPair(b, s.Start, s.Length)
		b = appendNodes(b, s.Nodes)
		b = appendNodes(b, s.Additional)
		b = compact.AppendOptionalBuffer(b, s.Signature)
	}
	return append(b, p.Manifest...)
}

func (p *Proof) flags() uint64 {
	return flag(p.Block != nil, proofBlock) | flag(p.Hash != nil, proofHash) | flag(p.Seek != nil, proofSeek) |
		flag(p.Upgrade != nil, proofUpgrade) | flag(p.Manifest != nil, proofManifest)
}

// Size returns an upper bound of the bytes that AppendProof appends.
func (p *Proof) Size() int {
	const section, node = 9 + 9 + 9, 9 + 9 + 32
	n, nodes := 3*9+len(p.Manifest), 0
	if s := p.Block; s != nil {
		n, nodes = n+section+len(s.Value), nodes+len(s.Nodes)
	}
	if s := p.Hash; s != nil {
		n, nodes = n+section, nodes+len(s.Nodes)
	}
	if s := p.Seek; s != nil {
		n, nodes = n+section, nodes+len(s.Nodes)
	}
	if s := p.Upgrade; s != nil {
		n, nodes = n+2*section+len(s.Signature), nodes+len(s.Nodes)+len(s.Additional)
	}
	return n + nodes*node
}

// newProof returns a proof, and makes its part for a block with it.
func newProof(request, fork uint64, block bool) *Proof {
	if !block {
		return &Proof{Request: request, Fork: fork}
	}
	both := &struct {
		p Proof
		b BlockProof
	}{p: Proof{Request: request, Fork: fork}}
	both.p.Block = &both.b
	return &both.p
}

// DecodeProof reads what AppendProof writes. Block value, signature and manifest alias b. Unknown flags are ignored, and
// bytes after the last section too; but behind a manifest, whose length is known only to its own decoder, they stay in
// Manifest. Lists of more than MaxPath nodes are refused. The error wraps ErrInvalidProof.
func DecodeProof(b []byte) (*Proof, error) {
	d := compact.NewDecoder(b)
	flags := d.Uint()
	p := newProof(d.Uint(), d.Uint(), flags&proofBlock != 0)
	if b := p.Block; b != nil {
		b.Index, b.Value, b.Nodes = d.Uint(), d.Buffer(), decodeNodes(d)
	}
	if flags&proofHash != 0 {
		p.Hash = &HashProof{Index: d.Uint(), Nodes: decodeNodes(d)}
	}
	if flags&proofSeek != 0 {
		p.Seek = &SeekProof{Bytes: d.Uint(), Nodes: decodeNodes(d)}
	}
	if flags&proofUpgrade != 0 {
		p.Upgrade = &UpgradeProof{Start: d.Uint(), Length: d.Uint()}
		p.Upgrade.Nodes, p.Upgrade.Additional = decodeNodes(d), decodeNodes(d)
		p.Upgrade.Signature = d.OptionalBuffer()
	}
	if flags&proofManifest != 0 {
		if p.Manifest = d.Rest(); len(p.Manifest) == 0 {
			d.Fail(compact.ErrShort)
		}
	}
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("%w: decode: %w", ErrInvalidProof, err)
	}
	return p, nil
}

func appendNodes(b []byte, nodes []Node) []byte {
	b = compact.AppendUint(b, uint64(len(nodes)))
	for i := range nodes {
		b = AppendNode(b, &nodes[i])
	}
	return b
}

// AppendNode appends the wire form of a node: uint index, uint size, hash.
func AppendNode(b []byte, n *Node) []byte {
	b = appendPair(b, n.Index, n.Size)
	return append(b, n.Hash[:]...)
}

func decodeNodes(d *compact.Decoder) []Node {
	n := d.Count(nodeBytes)
	if n > MaxPath {
		d.Fail(fmt.Errorf("%d nodes, at most %d", n, MaxPath))
	}
	if n == 0 || d.Err() != nil {
		return nil
	}
	nodes := make([]Node, n)
	for i := range nodes {
		nodes[i] = Node{Index: d.Uint(), Size: d.Uint(), Hash: d.Fixed32()}
	}
	return nodes
}

// Answers reports whether p has what q asks for and nothing else: the same ID and fork; the block, or the node when no block
// is asked for; an upgrade when one is asked for (Check knows where it must start); a manifest only if asked. A seek may
// lack, as provers leave it out when the position is past the end or on the path anyhow, but may not be another one.
func (p *Proof) Answers(q *Request) bool {
	switch {
	case p.Request != q.ID || p.Fork != q.Fork || p.Manifest != nil && !q.Manifest:
		return false
	case (p.Block != nil) != (q.Block != nil) || p.Block != nil && p.Block.Index != q.Block.Index:
		return false
	case p.Seek != nil && (q.Seek == nil || p.Seek.Bytes != q.Seek.Bytes):
		return false
	case (p.Upgrade != nil) != (q.Upgrade != nil):
		return false
	}
	wantHash := q.Hash != nil && q.Block == nil
	return (p.Hash != nil) == wantHash && (p.Hash == nil || p.Hash.Index == q.Hash.Index)
}
