// Package node runs a Hypercore peer: a store of cores, a libp2p host, and the search for others, as one thing.
//
// Start with [New], or with [Attach] on a host that a program has already; then [Node.Run]:
//
//	n, err := node.New(ctx, config.Config{Path: "data"})
//	go n.Run(ctx)
//	d, err := n.Drive(ctx, key)
//	err = n.Seed(ctx, key)
//
// Opening a core joins its topic: peers that hold it are found and connected, and what is read and missing is fetched from
// them. Cores that belong to others, such as the contents of a drive, are asked of the peers of those first, and are looked
// for by themselves when these do not have them. What is seeded is kept, complete, over restarts.
//
// A peer is asked for a core only if it was found under its topic, or is known by name, or is on the LAN; who asks is shown
// only cores whose key it has.
package node
