package replicate

import "errors"

var (
	// ErrCapability tells that the peer opened a channel without knowing the core's key. The stream is over.
	ErrCapability = errors.New("replicate: peer does not know the key")

	// ErrBadPeer tells that the peer sent what cannot be right. The stream is over.
	ErrBadPeer = errors.New("replicate: peer sent bad data")

	// ErrInvalidRequests tells that the peer asked too often for what makes no sense. The stream is over.
	ErrInvalidRequests = errors.New("replicate: peer sent too many invalid requests")
)
