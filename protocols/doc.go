// Package protocols carries Hypercore replication, and streams of applications, over libp2p.
//
// Start with [New], which binds a replicate.Set to a host, and with [Service.Run]; [Service.Connect] then opens a stream to
// a peer, and those that peers open are taken as they come.
//
//	set := replicate.New(replicate.Options{})
//	s := protocols.New(h, set, protocols.Options{Find: store.Find})
//	go s.Run(ctx)
//	err := s.Connect(ctx, peer)
//
// Two peers have one stream between them, which carries all cores that they share, as channels. Its protocol is
// [Replicate]: 32 random bytes from each side, then frames, see mux.NewFramed. [SecretStream] is the same with the
// transport of stock Hypercore peers inside of the stream, for peers that cannot speak without it.
//
// When both open a stream at the same moment, the one opened by the peer with the smaller id survives, compared by bytes;
// the other is closed once its answers are out. A stream that a peer opens although there is one for long takes the place
// of that: the peer would not, had it not lost the old one.
//
// [Service.Handle] and [Service.Open] give applications streams of their own, each within a topic, which is 32 bytes: the
// one who opens sends them, the other answers with one byte, 1 for yes. What follows is the application's.
//
// Peers are authenticated by libp2p; what they send is suspect. Streams have limits and deadlines, and are reset with a
// code when a peer breaks the rules.
package protocols
