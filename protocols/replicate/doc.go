// Package replicate copies cores between peers: it asks for what a core lacks, and answers what others ask.
//
// Start with [New], whose [Set] is the source of the cores of a store, and with [Set.Serve], which speaks with one peer over
// a stream until it ends:
//
//	set := replicate.New(replicate.Options{})
//	store, err := corestore.Open(ctx, db, corestore.Options{Source: set})
//	err = set.Serve(ctx, conn, store.Find)
//
// Each core that both peers have is a channel of the stream, named by the core's discovery key and opened with a proof that
// one knows its key. Who wants something opens the channel; the other looks the core up. A peer that proves nothing is shown
// nothing: it cannot tell a core that is here from one that is not.
//
// What to ask of whom is decided by a scheduler for each core, a state machine without goroutines, clock or I/O. A peer is
// asked for blocks that it has announced, for each block one peer at a time, as many at once as keep the peer busy. What
// comes in is suspect until [core.Core.Apply] has taken it.
//
// A stream has one goroutine that reads, the caller's of Serve, one that writes, one that applies what came in, while more is
// read, and one that looks up the cores that the peer names. All have ended when Serve returns. An answer that somebody waits for
// and that comes alone is applied by the goroutine that reads.
//
// Work moves in groups: what comes in one frame is taken in together, requests are answered with one look at the store for many
// of them, and answers are verified and stored many at a time. What must not wait, such as an answer to an urgent request, is
// sent before bulk; the bulk of several cores takes turns.
//
// A download asks for blocks in ascending order, from many peers at once; one that is linear keeps those behind from coming long
// before those in front. How far it is, a [core.Meter] tells. A block that a peer cannot prove, or over which its streams end, is
// asked for last, so that it keeps no other from coming.
//
// Until a peer has proven that it knows the key of a core, its messages are small and few: nothing larger than 1 MiB is read.
//
// A block may also be pushed to a peer that takes gifts, see [Replicator.Push]. Who wants all that will be appended has one peer
// push it, ahead of its announcement: a new block is with a reader after the time of one message. Rates are bounded by [Options], and [Replicator.Stats]
// and [Replicator.Peers] tell what is going on.
package replicate
