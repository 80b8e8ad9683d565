package secretstream

import (
	"errors"
	"fmt"
)

var (
	// ErrHandshake tells that the other side does not speak the handshake, gave an unusable key or proved none.
	ErrHandshake = errors.New("secretstream: handshake failed")

	// ErrFrame tells that a frame is longer or shorter than it may be.
	ErrFrame = errors.New("secretstream: bad frame length")

	// ErrAuth tells that a message is not from the peer, or not in its turn.
	ErrAuth = errors.New("secretstream: message is not authentic")

	// ErrTooLarge tells that a message is too large to be sent. Nothing was sent, and the stream lives on.
	ErrTooLarge = errors.New("secretstream: message is too large")

	// ErrStalled tells that the peer made no progress within a frame, or took nothing of what was sent, for too long.
	ErrStalled = errors.New("secretstream: peer is stalled")

	// ErrIdle tells that nothing came from the peer, not even a keep-alive, for too long.
	ErrIdle = errors.New("secretstream: peer is silent")

	// ErrClosed tells that the stream was closed on this side.
	ErrClosed = errors.New("secretstream: closed")
)

// handshakeError says what of the handshake failed.
func handshakeError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrHandshake, fmt.Errorf(format, args...))
}
