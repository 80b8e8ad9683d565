package manifest

import (
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
)

func benchmarkCore(b *testing.B) (*Authority, keys.Pair, *merkle.Tree) {
	pair := keys.PairFromSeed(keys.Seed{1})
	m := Single(pair.Public)
	a, err := NewAuthority(m.Key(), m, Options{})
	if err != nil {
		b.Fatal(err)
	}
	return a, pair, plant(make([][]byte, 1023)).tree(1023, 0)
}

func BenchmarkSign(b *testing.B) {
	a, pair, tree := benchmarkCore(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Sign(pair, tree); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyTree(b *testing.B) {
	a, pair, tree := benchmarkCore(b)
	sig, err := a.Sign(pair, tree)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := a.VerifyTree(tree, sig); err != nil {
			b.Fatal(err)
		}
	}
}
