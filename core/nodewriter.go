package core

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// edge is the encoded last page of a level, kept for the next append, or the next block of one who follows, so that it need not be
// read. Its memory is used again, so that an edge must not be used any more once a nodeWriter that began with it has written.
type edge struct {
	id   pageID
	page []byte
}

// nodeWriter puts nodes into pages.
type nodeWriter struct {
	tx *datastore.Tx
	id uint64
	// edge has, by level, the page that was written last; the next append begins with it.
	edge []edge
	// from is the length before: pages that lie wholly behind it hold nothing yet.
	from uint64
	page nodePage
}

// put stores nodes that come in rows, from the leaves up, each row of one depth and ascending: as a batch makes them.
// Pages are visited once each.
func (w *nodeWriter) put(nodes []merkle.Node) error {
	var rows [pageLevels * pageDepths][]merkle.Node
	top := uint64(0)
	for len(nodes) > 0 {
		depth, n := uint64(merkle.Depth(nodes[0].Index)), 1
		for n < len(nodes) && uint64(merkle.Depth(nodes[n].Index)) == depth {
			n++
		}
		rows[depth], nodes = nodes[:n], nodes[n:]
		top = max(top, depth)
	}
	for level := uint64(0); level <= top/pageDepths; level++ {
		if err := w.putLevel(level, rows[level*pageDepths:(level+1)*pageDepths]); err != nil {
			return err
		}
	}
	return nil
}

// putLevel writes the pages of one level, left to right.
func (w *nodeWriter) putLevel(level uint64, rows [][]merkle.Node) error {
	for {
		id, some := pageID{level, 1<<64 - 1}, false
		for _, row := range rows {
			if len(row) > 0 {
				at, _ := place(row[0].Index)
				id.page, some = min(id.page, at.page), true
			}
		}
		if !some {
			return nil
		}
		if err := w.load(id); err != nil {
			return err
		}
		for i := range rows {
			rows[i] = w.fill(id, rows[i])
		}
		w.store(id)
	}
}

// fill puts the leading nodes of a row that lie in the page, and returns the others.
func (w *nodeWriter) fill(id pageID, row []merkle.Node) []merkle.Node {
	for len(row) > 0 {
		at, slot := place(row[0].Index)
		if at != id {
			break
		}
		w.page.put(slot, &row[0])
		row = row[1:]
	}
	return row
}

func (w *nodeWriter) load(id pageID) error {
	if id.span().Start >= w.from {
		w.page = nodePage{}
		return nil
	}
	if int(id.level) < len(w.edge) && w.edge[id.level].page != nil && w.edge[id.level].id == id {
		return w.page.decode(w.edge[id.level].page)
	}
	return readNodePage(w.tx, w.id, id, &w.page)
}

func (w *nodeWriter) store(id pageID) {
	for uint64(len(w.edge)) <= id.level {
		w.edge = append(w.edge, edge{})
	}
	e := &w.edge[id.level]
	e.id = id
	e.page = w.page.appendTo(slices.Grow(e.page[:0], 32+40*bits.OnesCount32(w.page.present)))
	w.tx.Set(pageKey(w.id, id), e.page)
}

// sortRows brings nodes into the order that put wants.
func sortRows(nodes []merkle.Node) {
	slices.SortFunc(nodes, func(a, b merkle.Node) int {
		if d := cmp.Compare(merkle.Depth(a.Index), merkle.Depth(b.Index)); d != 0 {
			return d
		}
		return cmp.Compare(a.Index, b.Index)
	})
}

// cutNodes removes the nodes that are not complete below length from a log that had oldLength blocks.
func cutNodes(tx *datastore.Tx, core, length, oldLength uint64) error {
	for level := uint64(0); level < pageLevels; level++ {
		leaves := uint64(1) << min(63, pageDepths*level)
		if level > 0 && leaves > oldLength {
			return nil
		}
		shift := min(63, pageDepths*(level+1))
		first := length >> shift // the page that holds the first block that goes
		if first<<shift < length {
			if err := cutPage(tx, core, pageID{level, first}, length); err != nil {
				return err
			}
			first++
		}
		tx.DeleteRange(pageKey(core, pageID{level, first}), pageKey(core, pageID{level, oldLength>>shift + 1}))
	}
	return nil
}

func cutPage(tx *datastore.Tx, core uint64, id pageID, length uint64) error {
	var p nodePage
	if err := readNodePage(tx, core, id, &p); err != nil {
		return err
	}
	before := p.present
	if p.cut(id, length); p.present == before {
		return nil
	}
	tx.Set(pageKey(core, id), p.appendTo(nil))
	return nil
}
