// Package mux carries many channels over one stream of messages between two peers: Protomux.
//
// Start with [New] over a [Conn], then run [Mux.ReadLoop] and [Mux.WriteLoop], each in a goroutine of the caller's; the
// package starts none. [Mux.Open] opens a channel. Channels are known by a protocol's name and an id: where both sides open
// the same, the two are one channel. What only the peer has opened is given to [Options].Offered, which accepts or rejects
// it, now or later.
//
// [NewFramed] makes a Conn of a stream that is encrypted and authenticated already, package secretstream one of any other.
//
// On the wire a message is
//
//	uint channel | uint type | payload
//
// where channel is the number that its sender has given to the channel, from 1 on. Channel 0 is the control session:
//
//	type 0, batch:  uint channel, then items: uint length | type and payload, of that length; or a zero and a new uint channel
//	type 1, open:   uint number | string protocol | buffer id | handshake, the rest
//	type 2, reject: uint number, the one that the receiver has opened
//	type 3, close:  uint number of the sender
//
// A new number is at most one above the highest ever used, and not in use. A channel that both sides opened ends by one
// close, from either. A number whose open is unanswered stays in use, even if it was closed meanwhile, until the answer.
// Messages of channels that are closed or unknown are ignored, as they may have crossed a close, and so are control messages
// of other types. A frame that cannot be decoded, an open whose number is not free, a reject of what is not waiting, and an
// error of a [Handler] end the stream.
//
// What is sent is queued, at most [Options].MaxUnsent bytes beside the control messages, and written by WriteLoop, which
// asks [Options].Fill for more each time that the stream has taken what there was. So what is sent next is decided
// when it can be sent. Small messages that wait together go out as one batch.
package mux
