package arch

import (
	"slices"
	"testing"
)

// A checker that finds nothing proves nothing: each rule is shown one breach and its nearest allowed neighbour.
func TestCheckFindsPlantedBreaches(t *testing.T) {
	ours := func(paths ...string) (full []string) {
		for _, p := range paths {
			full = append(full, Module+"/"+p)
		}
		return full
	}
	const host = "github.com/libp2p/go-libp2p/core/host"
	tests := []struct {
		name   string
		pkg    Package
		breach string // after the path; empty for none
	}{
		{"down", Package{Path: "core", Imports: ours("core/merkle", "datastore", "internal/bitfield")}, ""},
		{"up", Package{Path: "core", Imports: ours("core/corestore")}, "imports core/corestore, which stands above it"},
		{"up from a sub-folder's root", Package{Path: "datastore", Imports: ours("datastore/pebble")}, "imports datastore/pebble, which stands above it"},
		{"down to a sub-folder's root", Package{Path: "datastore/pebble", Imports: ours("datastore")}, ""},
		{"drive to bee", Package{Path: "drive", Imports: ours("bee")}, ""},
		{"bee to drive", Package{Path: "bee", Imports: ours("drive")}, "imports drive, which stands above it"},
		{"bottom to top", Package{Path: "internal/durable", Imports: ours("internal/compact", "node")}, "imports node, which stands above it"},
		{"same floor", Package{Path: "core/manifest", Imports: ours("core/keys")}, ""},
		{"no floor", Package{Path: "tools/x"}, "stands on no floor"},
		{"the folder itself is no package", Package{Path: "internalx"}, "stands on no floor"},

		{"pure", Package{Path: "core/merkle", Imports: append(ours("internal/compact"), "io", "crypto/rand", "slices")}, ""},
		{"pure with files", Package{Path: "core/merkle", Imports: []string{"os"}}, "is pure and imports os"},
		{"pure with sockets", Package{Path: "core/keys", Imports: []string{"net/netip"}}, "is pure and imports net/netip"},
		{"pure on impure", Package{Path: "core/keys", Imports: ours("internal/durable")}, "is pure and imports internal/durable, which is not"},
		{"pure with goroutine", Package{Path: "core/merkle", Spawns: []string{"tree.go:7"}}, "is pure and starts a goroutine at tree.go:7"},
		{"impure with goroutine", Package{Path: "core", Imports: []string{"os"}, Spawns: []string{"core.go:7"}}, ""},

		{"golden data outside tests", Package{Path: "core", Imports: ours("internal/vectors")}, "imports internal/vectors outside its tests"},
		{"testing outside tests", Package{Path: "core", Imports: []string{"testing/synctest"}}, "imports testing/synctest outside its tests"},
		{"kit with testing", Package{Path: "datastore/datastoretest", Imports: append(ours("datastore"), "testing")}, ""},

		{"libp2p in a data structure", Package{Path: "drive", Deps: []string{"io", host}}, "links " + host + ": only the network packages may"},
		{"libp2p in pure replication", Package{Path: "protocols/replicate", Deps: []string{host}}, "links " + host + ": only the network packages may"},
		{"libp2p in its binding", Package{Path: "protocols", Deps: []string{host}}, ""},
		{"libp2p in discovery", Package{Path: "protocols/discovery/kad", Deps: []string{host}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Check(House(), []Package{tt.pkg})
			var want []string
			if tt.breach != "" {
				want = []string{tt.pkg.Path + " " + tt.breach}
			}
			if !slices.Equal(got, want) {
				t.Errorf("breaches %q, want %q", got, want)
			}
		})
	}
}

// Every package that a rule names must stand on a floor, else the rule is about nothing.
func TestRulesNamePackagesOfTheHouse(t *testing.T) {
	r := House()
	for _, names := range [][]string{r.Pure, r.Kits, r.Network} {
		for _, name := range names {
			if _, ok := r.floor(name); !ok {
				t.Errorf("%s stands on no floor", name)
			}
		}
	}
}
