package discovery

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"
)

// Local returns the node that listens on a TCP port of this machine. Whose it is cannot be known before, so it is asked in a
// handshake of Noise under a key that is thrown away.
func Local(ctx context.Context, port int) (peer.AddrInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return peer.AddrInfo{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	id, err := ask(ctx, conn)
	if err != nil {
		return peer.AddrInfo{}, fmt.Errorf("asking who listens on port %d: %w", port, err)
	}
	addr, err := ma.NewMultiaddr(fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port))
	return peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{addr}}, err
}

// ask returns the peer id of whoever answers on a connection.
func ask(ctx context.Context, conn net.Conn) (peer.ID, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return "", err
	}
	t, err := noise.New(noise.ID, key, nil)
	if err != nil {
		return "", err
	}
	session, err := t.WithSessionOptions(noise.DisablePeerIDCheck())
	if err != nil {
		return "", err
	}
	if err := multistream.SelectProtoOrFail(string(noise.ID), conn); err != nil {
		return "", err
	}
	secure, err := session.SecureOutbound(ctx, conn, "")
	if err != nil {
		return "", err
	}
	return secure.RemotePeer(), nil
}
