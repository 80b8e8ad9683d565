package corestore_test

import (
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
)

func TestPairOf(t *testing.T) {
	s := newStore(t)
	inner, err := s.Namespace("photos")
	if err != nil {
		t.Fatal(err)
	}
	named, err := inner.Open(t.Context(), corestore.Name("db"))
	if err != nil {
		t.Fatal(err)
	}
	if p, ok, err := s.PairOf(t.Context(), named.DiscoveryKey()); err != nil || !ok || p.Public != inner.Pair("db").Public {
		t.Errorf("the pair of a named core: %v, %t, %v", p.Public, ok, err)
	}
	other, err := s.Open(t.Context(), corestore.Pair(keys.PairFromSeed(keys.Seed{9})))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.PairOf(t.Context(), other.DiscoveryKey()); err != nil || ok {
		t.Errorf("the pair of a core of another origin: %t, %v", ok, err)
	}
	if _, _, err := s.PairOf(t.Context(), keys.DiscoveryKey{1}); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("the pair of no core: %v", err)
	}
}
