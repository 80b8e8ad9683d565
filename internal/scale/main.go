// Command scale simulates look-ups and announcements in Kademlia networks of up to ten million nodes, to tell what they
// cost as the network grows. It prints the tables of docs/scale.md.
//
// Ids are 64 random bits, of which networks of this size use fewer than 40. A routing table has for each length of common
// prefix up to 20 nodes, drawn at random of all that fit, as a table that has been kept up for long. What a node's table
// holds is drawn when it is asked, from a generator that is seeded by the node: no tables are stored.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

func main() {
	sizes := flag.String("nodes", "1000,10000,100000,10000000", "sizes of the network")
	lookups := flag.Int("lookups", 400, "look-ups for each row")
	seed := flag.Uint64("seed", 1, "seed of all that is random")
	flag.Parse()
	if err := run(os.Stdout, *sizes, *lookups, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, sizes string, lookups int, seed uint64) error {
	var list []int
	for _, s := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 2*bucketSize {
			return fmt.Errorf("%q is no number of nodes: want at least %d", s, 2*bucketSize)
		}
		list = append(list, n)
	}
	if lookups < 1 {
		return fmt.Errorf("%d look-ups are too few", lookups)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "nodes\tdead\tqueries\tdepth\tfirst provider p50\tp99\tall 20 closest p50\tp99\tnot found")
	for _, n := range list {
		net := newNetwork(n, seed)
		for _, dead := range []float64{0, 0.1, 0.3} {
			fmt.Fprintln(t, measure(net, dead, lookups, seed).row(n, dead))
		}
	}
	fmt.Fprintln(t)
	fmt.Fprintln(t, "nodes\tcores\tone by one: queries\tswept: queries\trecords sent\tpeers contacted")
	for _, n := range list {
		for _, cores := range []int{1, 1000, 1_000_000} {
			fmt.Fprintln(t, announce(n, cores).row())
		}
	}
	return t.Flush()
}

// figures are what a row of look-ups came to.
type figures struct {
	queries, depth []float64
	first, all     []float64 // seconds
	lost           int
}

func measure(net *network, dead float64, lookups int, seed uint64) *figures {
	f := new(figures)
	for i := range lookups {
		l := newLookup(net, dead, seed+uint64(i)*0x9e3779b97f4a7c15)
		l.run()
		f.queries = append(f.queries, float64(l.queries))
		f.depth = append(f.depth, float64(l.depth))
		f.all = append(f.all, l.now)
		if l.first == 0 {
			f.lost++
			continue
		}
		f.first = append(f.first, l.first)
	}
	return f
}

func (f *figures) row(n int, dead float64) string {
	return fmt.Sprintf("%d\t%.0f %%\t%.0f\t%.0f\t%.2f s\t%.2f s\t%.2f s\t%.2f s\t%d of %d", n, 100*dead,
		quantile(f.queries, 0.5), quantile(f.depth, 0.5), quantile(f.first, 0.5), quantile(f.first, 0.99),
		quantile(f.all, 0.5), quantile(f.all, 0.99), f.lost, len(f.all))
}

// quantile returns the value below which the fraction q of the list lies, 0 of an empty list.
func quantile(list []float64, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))]
}
