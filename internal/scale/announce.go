package main

import (
	"fmt"
	"math"
)

// announcing is what it costs one node to tell the network of its cores once, which takes 22 hours.
type announcing struct {
	nodes, cores int
	single       float64 // queries when each core is looked up on its own
	swept        float64 // queries when the key space is swept by region
	records      float64 // provider records sent, one message each
	peers        float64 // nodes that get any
}

// perLookup is how many queries a look-up of the closest nodes takes: the 20 closest, and the way there.
func perLookup(n int) float64 { return bucketSize + 2*math.Log2(float64(n)/bucketSize) }

// announce counts. A region is a prefix that at least bucketSize nodes share: all keys in it go to the same few dozen
// nodes, which are found once. A region is explored when one of the cores falls in it, by about four look-ups, unless the few
// cores that fall in it cost less one by one.
func announce(nodes, cores int) announcing {
	c := float64(cores)
	regions := math.Exp2(math.Floor(math.Log2(float64(nodes) / bucketSize)))
	met := regions * -math.Expm1(c*math.Log1p(-1/regions)) // regions with at least one key
	size := float64(nodes) / regions
	perNode := c * bucketSize / float64(nodes)
	return announcing{
		nodes: nodes, cores: cores, records: c * bucketSize,
		single: c * perLookup(nodes),
		swept:  min(c*perLookup(nodes), 4*met*(size+2)),
		peers:  float64(nodes) * -math.Expm1(-perNode),
	}
}

func (a announcing) row() string {
	return fmt.Sprintf("%d\t%d\t%.0f\t%.0f\t%.0f\t%.0f", a.nodes, a.cores, a.single, a.swept, a.records, a.peers)
}
