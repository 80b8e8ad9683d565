package mux

import "errors"

var (
	// ErrProtocol tells that the peer broke the rules of the protocol. The stream is over.
	ErrProtocol = errors.New("mux: peer broke the protocol")

	// ErrClosed tells that the channel or the stream was closed, by this side.
	ErrClosed = errors.New("mux: closed")

	// ErrRemoteClosed tells that the peer closed the channel.
	ErrRemoteClosed = errors.New("mux: closed by the peer")

	// ErrRejected tells that the peer did not want the channel.
	ErrRejected = errors.New("mux: rejected by the peer")

	// ErrOpen tells that there is a channel of this protocol and id already.
	ErrOpen = errors.New("mux: channel is open already")

	// ErrAnswered tells that an offer is answered already, or was taken back.
	ErrAnswered = errors.New("mux: offer is answered already")

	// ErrFull tells that there is no room for the message. There is when Options.Fill is called next.
	ErrFull = errors.New("mux: too much is waiting to be sent")

	// ErrLimit tells that a name, an id, a handshake, a message or the number of channels is above its limit.
	ErrLimit = errors.New("mux: above the limit")
)
