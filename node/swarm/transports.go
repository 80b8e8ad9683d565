package swarm

import (
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	libp2pwebrtc "github.com/libp2p/go-libp2p/p2p/transport/webrtc"
	ws "github.com/libp2p/go-libp2p/p2p/transport/websocket"
	webtransport "github.com/libp2p/go-libp2p/p2p/transport/webtransport"
)

// transport is a way to carry bytes, with the end of its addresses behind the IP address.
type transport struct {
	name        string
	constructor any
	udp         bool
	suffix      string // behind the port
}

func allTransports() []transport {
	return []transport{
		{"tcp", tcp.NewTCPTransport, false, ""},
		{"websocket", ws.New, false, "/ws"},
		{"quic", quic.NewTransport, true, "/quic-v1"},
		{"webtransport", webtransport.New, true, "/quic-v1/webtransport"},
		{"webrtc-direct", libp2pwebrtc.New, true, "/webrtc-direct"},
	}
}

// address is where the transport listens on an IP address, such as "/ip4/0.0.0.0".
func (t transport) address(ip string, port int) string {
	protocol := "tcp"
	if t.udp {
		protocol = "udp"
	}
	return fmt.Sprintf("%s/%s/%d%s", ip, protocol, port, t.suffix)
}

func chosen(names []string) (list []transport) {
	for _, t := range allTransports() {
		if slices.Contains(names, t.name) {
			list = append(list, t)
		}
	}
	return list
}

func transports(names []string) []libp2p.Option {
	list := []libp2p.Option{libp2p.NoTransports}
	for _, t := range chosen(names) {
		list = append(list, libp2p.Transport(t.constructor))
	}
	return list
}

// secured offers TLS before Noise: with hardware for AES it costs half as much.
func secured() []libp2p.Option {
	return []libp2p.Option{
		libp2p.Security(tls.ID, tls.New),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
	}
}
