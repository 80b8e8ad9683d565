package protocols

import "errors"

var (
	// ErrClosed tells that the service is not running.
	ErrClosed = errors.New("protocols: service is not running")

	// ErrYielded tells that a stream was given up for one that the peer opened at the same moment.
	ErrYielded = errors.New("protocols: the peer's stream goes on")

	// ErrTopic tells that the peer has not joined the topic, or not with this protocol.
	ErrTopic = errors.New("protocols: peer has not joined the topic")

	// ErrHandled tells that there is a handler for this topic and protocol already.
	ErrHandled = errors.New("protocols: topic has a handler for this protocol already")

	// ErrLimited tells that the peer is reached only through a relay, which carries too little for blocks.
	ErrLimited = errors.New("protocols: peer is reached only through a relay")
)
