package mux

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/blake2b"

	"github.com/hypernode/hypernode/protocols/secretstream"
)

const (
	// bindingContext keeps the hash of a framed stream apart from all other hashes.
	bindingContext = "hypernode/libp2p-binding/1"

	nonceBytes = 32

	defaultFramedHandshake = 10 * time.Second
)

// frames are embedded without becoming a field that others see.
type frames = secretstream.Frames

// FramedOptions are the settings of a [Framed]. LocalPeer, RemotePeer and Initiator must be right.
type FramedOptions struct {
	LocalPeer  []byte // this side's peer id, a binary multihash of at most 65,535 bytes
	RemotePeer []byte // the other side's, as the stream's own security has proven it
	Initiator  bool   // this side opened the stream

	Handshake time.Duration       // how long the start may take; the default is 10 s
	Limits    secretstream.Limits // those after it
}

// Framed is a Conn over a stream that is encrypted and authenticated already, such as one of libp2p. It begins with 32
// random bytes from each side, both at once; then come frames: a length of 3 bytes, little-endian, and that many bytes, the
// message. An empty one keeps the stream alive.
//
// Its handshake hash is the BLAKE2b-512 of
//
//	"hypernode/libp2p-binding/1" | lp(initiator's peer id) | lp(responder's) | initiator's random bytes | responder's
//
// where lp puts a length of 2 bytes, big-endian, in front. So what is proven by it holds for these two peers and this
// stream alone.
type Framed struct {
	*frames
	remote    []byte
	initiator bool
	hash      [64]byte
}

// NewFramed makes a Framed of stream, which it takes over: it is closed when an error is returned, or ctx ends before.
func NewFramed(ctx context.Context, stream io.ReadWriteCloser, o FramedOptions) (*Framed, error) {
	if o.Handshake <= 0 {
		o.Handshake = defaultFramedHandshake
	}
	ctx, cancel := context.WithTimeout(ctx, o.Handshake)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	own, remote, err := exchangeNonces(stream)
	if !stop() {
		err = ctx.Err()
	}
	if err == nil && (len(o.LocalPeer) > 1<<16-1 || len(o.RemotePeer) > 1<<16-1) {
		err = ErrLimit
	}
	if err != nil {
		stream.Close()
		return nil, fmt.Errorf("framed stream: %w", err)
	}
	f := &Framed{remote: o.RemotePeer, initiator: o.Initiator}
	if o.Initiator {
		f.hash = bindingHash(o.LocalPeer, o.RemotePeer, own, remote)
	} else {
		f.hash = bindingHash(o.RemotePeer, o.LocalPeer, remote, own)
	}
	f.frames = secretstream.NewFrames(stream, o.Limits)
	return f, nil
}

// exchangeNonces sends this side's random bytes while it waits for the other's: a stream may take none before it is read.
func exchangeNonces(stream io.ReadWriteCloser) (own, remote []byte, err error) {
	own, remote = make([]byte, nonceBytes), make([]byte, nonceBytes)
	if _, err := rand.Read(own); err != nil {
		return nil, nil, err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := stream.Write(own)
		sent <- err
	}()
	_, err = io.ReadFull(stream, remote)
	if err != nil {
		stream.Close() // so that the write comes back
	}
	return own, remote, errors.Join(err, <-sent)
}

// bindingHash is the handshake hash of a framed stream.
func bindingHash(initiator, responder, initiatorNonce, responderNonce []byte) [64]byte {
	b := []byte(bindingContext)
	for _, peer := range [][]byte{initiator, responder} {
		b = append(b, byte(len(peer)>>8), byte(len(peer)))
		b = append(b, peer...)
	}
	b = append(b, initiatorNonce...)
	return blake2b.Sum512(append(b, responderNonce...))
}

// HandshakeHash names this stream and its two peers.
func (f *Framed) HandshakeHash() [64]byte { return f.hash }

// Initiator tells whether this side opened the stream.
func (f *Framed) Initiator() bool { return f.initiator }

// RemoteKey returns the peer id of the other side.
func (f *Framed) RemoteKey() []byte { return f.remote }
