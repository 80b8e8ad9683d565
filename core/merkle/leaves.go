package merkle

// HashBlocks sets leaves[i] to the leaf of the block of proofs[i], and leaves alone those of proofs without one: what
// [CheckLeaf] takes. Many are hashed side by side. There must be as many leaves as proofs.
func HashBlocks(leaves []Node, proofs []*Proof) {
	var blocks [lanes][]byte
	var at [lanes]int
	var out [lanes]Node
	n := 0
	flush := func() {
		hashLeaves(out[:n], 0, blocks[:n])
		for k, leaf := range out[:n] {
			leaf.Index = 2 * proofs[at[k]].Block.Index
			leaves[at[k]] = leaf
		}
		n = 0
	}
	for i, p := range proofs {
		if p.Block == nil {
			continue
		}
		blocks[n], at[n] = p.Block.Value, i
		if n++; n == lanes {
			flush()
		}
	}
	flush()
}
