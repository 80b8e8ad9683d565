package pebble

import (
	"bytes"
	"slices"
)

// maxGaps is how many places of appending are remembered.
const maxGaps = 16

// gap says that there is no block with lo < key < hi; without hi, none above lo.
type gap struct{ lo, hi []byte }

// gaps remembers where blocks were appended lately: a block that falls into a gap replaces none, so nothing needs to
// be looked up for it. No two gaps overlap. The latest one used stands first.
type gaps []gap

// take tells whether key lies in a gap; that one then begins at key.
func (g gaps) take(key []byte) bool {
	for i := range g {
		if bytes.Compare(g[i].lo, key) < 0 && (g[i].hi == nil || bytes.Compare(key, g[i].hi) < 0) {
			hit := g[i]
			copy(g[1:i+1], g[:i])
			hit.lo = append(hit.lo[:0], key...)
			g[0] = hit
			return true
		}
	}
	return false
}

// learn notes that next is the first block after key, which is in no gap and is about to be set. Without next there is
// none.
func (g *gaps) learn(key, next []byte) {
	*g = slices.DeleteFunc(*g, func(o gap) bool {
		return bytes.Compare(o.lo, key) >= 0 && (next == nil || bytes.Compare(o.lo, next) < 0)
	})
	if len(*g) == maxGaps {
		*g = (*g)[:maxGaps-1]
	}
	*g = slices.Insert(*g, 0, gap{lo: bytes.Clone(key), hi: bytes.Clone(next)})
}
