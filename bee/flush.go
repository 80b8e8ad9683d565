package bee

// flush makes the blocks of all pending changes.
func (t *tree) flush() [][]byte {
	blocks := make([][]byte, len(t.pending))
	for i, p := range t.pending {
		if i < len(t.pending)-1 {
			p.drop(t.base + uint64(i))
		}
		blocks[i] = p.encode()
	}
	return blocks
}

// drop leaves out of a block that is not the last of its batch what later blocks have replaced: the root always, and each
// node whose link points elsewhere by now. The last level takes a free place, and the link to it follows.
func (p *pending) drop(seq uint64) {
	list := p.levels
	list[0] = nil
	for j := 0; j < len(list); {
		last := len(list) - 1
		switch l := list[j]; {
		case l != nil && l.seq == seq:
			l.off = uint64(j)
			j++
		case j == last:
			list = list[:last]
		default:
			list[j] = list[last]
			list = list[:last]
		}
	}
	p.levels = list
}

// encode makes the block: fields index, key, and value if there is one.
func (p *pending) encode() []byte {
	index := 0
	sizes := make([]levelSize, len(p.levels))
	for i, l := range p.levels {
		sizes[i] = l.node.size()
		index += sizeField(sizes[i].total())
	}
	size := sizeField(index) + sizeField(len(p.key))
	if p.value != nil {
		size += sizeField(len(p.value))
	}
	b := make([]byte, 0, size)
	b = appendVarint(appendTag(b, 1, kindBytes), uint64(index))
	for i, l := range p.levels {
		b = appendVarint(appendTag(b, 1, kindBytes), uint64(sizes[i].total()))
		b = l.node.append(b, sizes[i])
	}
	b = appendBytes(b, 2, p.key)
	if p.value != nil {
		b = appendBytes(b, 3, p.value)
	}
	return b
}

// sizeField is the size of a field of n bytes, with its tag and length.
func sizeField(n int) int { return 1 + sizeVarint(uint64(n)) + n }

// levelSize is how many bytes the packed keys and children of a node take.
type levelSize struct{ keys, kids int }

func (s levelSize) total() (n int) {
	if s.keys > 0 {
		n += sizeField(s.keys)
	}
	if s.kids > 0 {
		n += sizeField(s.kids)
	}
	return n
}

func (n *treeNode) size() (s levelSize) {
	for i := range n.keys {
		s.keys += sizeVarint(n.keys[i].seq)
	}
	for _, l := range n.kids {
		s.kids += sizeVarint(l.seq) + sizeVarint(l.off)
	}
	return s
}

func (n *treeNode) append(b []byte, s levelSize) []byte {
	if s.keys > 0 {
		b = appendVarint(appendTag(b, 1, kindBytes), uint64(s.keys))
		for i := range n.keys {
			b = appendVarint(b, n.keys[i].seq)
		}
	}
	if s.kids > 0 {
		b = appendVarint(appendTag(b, 2, kindBytes), uint64(s.kids))
		for _, l := range n.kids {
			b = appendVarint(appendVarint(b, l.seq), l.off)
		}
	}
	return b
}
