package core

import (
	"runtime"
	"sync"

	"github.com/hypernode/hypernode/core/merkle"
)

// hashAlone is how many bytes of blocks one goroutine hashes; twice as many are shared out.
const hashAlone = 512 << 10

// hashBlocks returns the leaf of each proof's block, the zero Node for a proof without one. When there is much to hash
// several goroutines do it; all have ended when it returns.
func hashBlocks(proofs []*merkle.Proof) []merkle.Node {
	leaves := make([]merkle.Node, len(proofs))
	total := 0
	for _, p := range proofs {
		if p.Block != nil {
			total += len(p.Block.Value)
		}
	}
	workers := max(1, min(total/hashAlone, runtime.GOMAXPROCS(0)))
	share := (len(proofs) + workers - 1) / workers
	var rest sync.WaitGroup
	for from := share; from < len(proofs); from += share {
		to := min(from+share, len(proofs))
		rest.Go(func() { merkle.HashBlocks(leaves[from:to], proofs[from:to]) })
	}
	first := min(share, len(proofs))
	merkle.HashBlocks(leaves[:first], proofs[:first])
	rest.Wait()
	return leaves
}
