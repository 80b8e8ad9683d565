package manifest

import (
	"fmt"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
)

// A multi is the signature field when it lists signatures: the signatures, then the nodes that the patches need, each
// patch taking its nodes from that one list.
type multi struct {
	parts []part
	nodes []merkle.Node
}

// A part is one signature of a multi. With a patch, the signer signed the tree as it is that many blocks longer.
type part struct {
	signer    uint64
	signature [64]byte
	patch     uint64

	// Of version 0 only, and without meaning for whoever checks: the length that was signed, and the places of the
	// patch's nodes in the list.
	start  uint64
	places []uint32
}

const (
	partBytes = 1 + 64 + 1 // the least that a part takes
	nodeBytes = 1 + 1 + 32 // the least that a node takes
)

// maxPatchNodes is how many nodes a patch can need: fewer than two for each of the 53 heights a tree can have. More nodes
// than that for each signature are refused, so that a long list does not cost time.
const maxPatchNodes = 128

// flagPatch, in version 0, announces a patch.
const flagPatch = 1

// append appends the form that manifests of the given version use. In version 0 a part leads with flags, and the patch,
// if any, is a structure; from version 1 on it is a number.
func (m *multi) append(b []byte, version uint8) []byte {
	b = compact.AppendUint(b, uint64(len(m.parts)))
	for i := range m.parts {
		if version == 0 {
			b = m.parts[i].append0(b)
		} else {
			b = m.parts[i].append(b)
		}
	}
	b = compact.AppendUint(b, uint64(len(m.nodes)))
	for i := range m.nodes {
		b = compact.AppendUint(b, m.nodes[i].Index)
		b = compact.AppendUint(b, m.nodes[i].Size)
		b = append(b, m.nodes[i].Hash[:]...)
	}
	return b
}

func (p *part) append(b []byte) []byte {
	b = compact.AppendUint(b, p.signer)
	b = append(b, p.signature[:]...)
	return compact.AppendUint(b, p.patch)
}

func (p *part) append0(b []byte) []byte {
	flags := uint64(0)
	if p.patch != 0 {
		flags = flagPatch
	}
	b = compact.AppendUint(b, flags)
	b = compact.AppendUint(b, p.signer)
	b = append(b, p.signature[:]...)
	if p.patch == 0 {
		return b
	}
	b = compact.AppendUint(b, p.start)
	b = compact.AppendUint(b, p.patch)
	b = compact.AppendUint(b, uint64(len(p.places)))
	for _, i := range p.places {
		b = compact.AppendUint(b, uint64(i))
	}
	return b
}

// decodeMulti reverses append. Nothing may follow.
func decodeMulti(b []byte, version uint8) (*multi, error) {
	d := compact.NewDecoder(b)
	m := &multi{parts: make([]part, d.Count(partBytes))}
	for i := range m.parts {
		if version == 0 {
			m.parts[i].decode0(d)
		} else {
			m.parts[i].decode(d)
		}
	}
	n := d.Count(nodeBytes)
	if n > maxPatchNodes*len(m.parts) {
		d.Fail(fmt.Errorf("%d nodes for %d signatures", n, len(m.parts)))
		n = 0
	}
	m.nodes = make([]merkle.Node, n)
	for i := range m.nodes {
		m.nodes[i] = merkle.Node{Index: d.Uint(), Size: d.Uint(), Hash: d.Fixed32()}
	}
	if d.Err() == nil && d.Len() > 0 {
		d.Fail(fmt.Errorf("%d bytes after the signatures", d.Len()))
	}
	return m, d.Err()
}

func (p *part) decode(d *compact.Decoder) {
	p.signer = d.Uint()
	copy(p.signature[:], d.Fixed(64))
	p.patch = d.Uint()
}

func (p *part) decode0(d *compact.Decoder) {
	flags := d.Uint()
	p.signer = d.Uint()
	copy(p.signature[:], d.Fixed(64))
	if flags&flagPatch == 0 {
		return
	}
	p.start, p.patch = d.Uint(), d.Uint()
	n := d.Count(1)
	if n > maxPatchNodes {
		d.Fail(fmt.Errorf("%d nodes in a patch", n))
		return
	}
	p.places = make([]uint32, n)
	for i := range p.places {
		p.places[i] = place(d)
	}
}

// place reads a place in a list, which cannot be longer than any array.
func place(d *compact.Decoder) uint32 {
	v := d.Uint()
	if v >= compact.MaxArray {
		d.Fail(compact.ErrCount)
		return 0
	}
	return uint32(v)
}
