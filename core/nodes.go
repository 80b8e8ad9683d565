package core

import (
	"errors"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// nodeReader reads the tree nodes of one core in one transaction. It is a merkle.Reader. It keeps the page of each
// level that it read last: a path walks up through them, and neighbouring paths share them.
//
// A page that cannot be read for its checksum is made anew from what lies below it, as far as that is here: what lacks
// can be fetched again.
type nodeReader struct {
	tx   *datastore.Tx
	id   uint64
	last [pageLevels]*readPage
	// length hides nodes that are not complete below it; the log may have grown since the tree in question.
	length uint64
}

type readPage struct {
	id   pageID
	page nodePage
}

func (l *log) nodeReader(tx *datastore.Tx) *nodeReader {
	return &nodeReader{tx: tx, id: l.id, length: 1 << 62}
}

// ReadNodes implements merkle.Reader.
func (r *nodeReader) ReadNodes(indexes []uint64) ([]merkle.Node, error) {
	nodes := make([]merkle.Node, len(indexes))
	for i, index := range indexes {
		if !merkle.Complete(index, r.length) {
			continue
		}
		id, slot := place(index)
		p, err := r.load(id)
		if err != nil {
			return nil, err
		}
		nodes[i] = p.node(id, slot)
	}
	return nodes, nil
}

func (r *nodeReader) load(id pageID) (*nodePage, error) {
	p := r.last[id.level]
	if p != nil && p.id == id {
		return &p.page, nil
	}
	if p == nil {
		p = new(readPage)
		r.last[id.level] = p
	}
	p.id = id
	return &p.page, readNodePage(r.tx, r.id, id, &p.page)
}

// readNodePage reads a page; one that is absent is empty.
func readNodePage(tx *datastore.Tx, core uint64, id pageID, p *nodePage) error {
	*p = nodePage{}
	b, err := tx.Get(pageKey(core, id))
	switch {
	case errors.Is(err, datastore.ErrNotFound):
		return nil
	case errors.Is(err, datastore.ErrCorrupt), err == nil && p.decode(b) != nil:
		return rebuildPage(tx, core, id, p)
	}
	return err
}

// rebuildPage makes a lost page anew: its lowest nodes from the blocks, or from the pages below, the others from these.
// What is made so is as trustworthy as what it is made of: blocks and pages have checksums of verified bytes.
func rebuildPage(tx *datastore.Tx, core uint64, id pageID, p *nodePage) error {
	*p = nodePage{}
	for slot := range uint64(pageSlots) {
		n, err := rebuildNode(tx, core, id, slot, p)
		if err != nil {
			return err
		}
		if !n.IsZero() {
			p.put(slot, &n)
		}
	}
	return nil
}

// rebuildNode makes a node of a page whose lower slots have been made. It is zero when what it is made of is not here.
func rebuildNode(tx *datastore.Tx, core uint64, id pageID, slot uint64, p *nodePage) (n merkle.Node, err error) {
	index := id.index(slot)
	left, right, inner := merkle.Children(index)
	if !inner {
		b, err := tx.Block(blockKey(core, index/2))
		if errors.Is(err, datastore.ErrNotFound) || errors.Is(err, datastore.ErrCorrupt) {
			return n, nil
		}
		return merkle.Leaf(index/2, b), err
	}
	below, at := place(left)
	if below != id {
		p = new(nodePage)
		if err := readNodePage(tx, core, below, p); err != nil {
			return n, err
		}
	}
	_, next := place(right)
	if a, b := p.node(below, at), p.node(below, next); !a.IsZero() && !b.IsZero() {
		return merkle.Parent(a, b), nil
	}
	return n, nil
}
