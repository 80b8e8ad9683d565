// Package discovery finds the peers that have joined a topic, and tells others that this one has.
//
// Start with [New], which is given the ways to look: distributed hash tables ([NewDHT]), the LAN ([NewMDNS]), or any
// routing.ContentRouting; then [Finder.Run] and [Finder.Join].
//
//	f := discovery.New(discovery.Options{Routers: []discovery.Router{table}})
//	go f.Run(ctx)
//	m := f.Join(topic, discovery.JoinOptions{Announce: true, Lookup: true, Found: dial})
//	err := m.Flush(ctx)
//
// A topic is 32 bytes. Where it is announced it is the CIDv1, raw, of a multihash of the kind blake2b-256 (0xb220) that
// wraps these bytes; see [CID].
//
// Peers are told of as they are found: the end of a lookup is never waited for, as one silent node can hold that up for half
// a minute. Lookups are repeated, soon while nobody is found and seldom later. What others say is suspect: a peer that is
// found may be gone or never have been there, so Found is told of a peer, not promised one.
//
// Announcements go to a sweeping provider where there is one, which passes over all topics region by region, so that many
// cost little more than few.
package discovery
