// Package wire holds the messages that two peers exchange about one core: the channel "hypercore/alpha".
//
// Each message is a struct with an Append method and a Decode function beside it; the two long ones, request and data,
// are [merkle.Request] and [merkle.Proof] with the codec of that package. [Type] tells them apart. A channel opens with
// a [Handshake], by which a peer proves that it knows the core's key: see [Capability] and [Handshake.Proves].
//
// [Have] remembers which blocks a peer has announced. [Want.Span] says what a peer's wish for announcements covers.
//
// Every message comes from a peer and is suspect. The invariant: whatever the numbers in a message say, decoding it and
// taking it into a Have costs time and memory in proportion to its length, plus at most the limits of limits.go. Bytes
// after the fields that are known, and flags that are not, are ignored: that is how the format grows. A message that
// cannot be decoded is an error that wraps [ErrMessage], for which a peer ends the whole stream.
//
// The package does no I/O and starts no goroutine.
package wire
