// Package beeops makes random changes of a bee for tests: those that compare a bee with a map, and those that have another
// implementation make the same bee, draw from one generator.
package beeops

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// Op is one change of a bee.
type Op struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"` // nil puts the key without a value
	Del   bool   `json:"del"`
	// Less has a put replace only a value that is less, and a delete delete only such a one; a put of a new key is made.
	Less bool `json:"less"`
}

// Sequence is what is done to one bee.
type Sequence struct {
	Seed     uint64
	SkipSame bool // a put of the value that is there writes nothing
	// Groups are done one after the other: one of several changes in one batch, one of a single change by itself.
	Groups [][]Op
	// Keys are all that may occur.
	Keys []string
}

// New returns the sequence of a seed: 40 groups of up to 40 changes, of few keys or of some hundreds, many of which begin alike.
func New(seed uint64) Sequence {
	rng := rand.New(rand.NewPCG(seed, 0))
	s := Sequence{Seed: seed, SkipSame: rng.IntN(2) == 0}
	space := []int{6, 40, 300}[rng.IntN(3)]
	for n := range space {
		s.Keys = append(s.Keys, string(bytes.Repeat([]byte{byte(n % 3)}, n%4))+fmt.Sprintf("%x", n*7%space))
	}
	for range 40 {
		var group []Op
		for range 1 + rng.IntN(2)*rng.IntN(40) {
			group = append(group, newOp(rng, s.Keys[rng.IntN(space)]))
		}
		s.Groups = append(s.Groups, group)
	}
	return s
}

func newOp(rng *rand.Rand, key string) Op {
	op := Op{Key: []byte(key), Less: rng.IntN(6) == 0}
	switch rng.IntN(10) {
	case 0, 1, 2, 3:
		op.Del = true
	case 4:
	default:
		op.Value = fmt.Append(nil, rng.IntN(1000))
	}
	if op.Del && op.Less {
		op.Value = fmt.Append(nil, rng.IntN(1000))
	}
	return op
}

// Allows tells whether a change that compares may be made to a value that is there.
func (op *Op) Allows(value []byte) bool { return !op.Less || bytes.Compare(value, op.Value) < 0 }

// Map is what a bee holds. A key without a value has nil.
type Map map[string][]byte

// Apply makes a change, and tells whether a bee writes a block for it.
func (m Map) Apply(op *Op, skipSame bool) bool {
	have, ok := m[string(op.Key)]
	switch {
	case !ok && op.Del, ok && !op.Allows(have):
		return false
	case op.Del:
		delete(m, string(op.Key))
		return true
	case ok && skipSame && (have == nil) == (op.Value == nil) && bytes.Equal(have, op.Value):
		return false
	}
	m[string(op.Key)] = op.Value
	return true
}
