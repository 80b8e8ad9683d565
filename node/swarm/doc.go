// Package swarm builds the libp2p host of a node: transports, addresses, limits, and who may connect.
//
// Start with [New]. One TCP port carries TCP and WebSocket, one UDP port QUIC, WebTransport and WebRTC-direct. What the
// user wrote down must be bound, or New fails; of the default port a free one takes the place when it is busy.
//
// The package keeps nothing: the caller brings the identity, and closes the host.
package swarm
