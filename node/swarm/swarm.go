package swarm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	lswarm "github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hypernode/hypernode/config"
)

// Options say what host to build.
type Options struct {
	Config   config.Config
	Identity crypto.PrivKey // the node's key, which its peer id is made of
	Agent    string         // what the node calls itself, "hypernode/1.2"

	// Metrics gets the host's figures; nil means none are kept.
	Metrics prometheus.Registerer
	// Logger is told which addresses are taken in the place of others; nil means nobody is told.
	Logger *slog.Logger

	// Services are the streams of the node's own protocols, for which limits are set.
	Services []Service
	// Relays yields peers that may relay for this node, when it needs one and none is configured; nil means none.
	Relays autorelay.PeerSource
}

// New builds a host and binds its addresses. It fails with ErrBusy, ErrAddress, or what libp2p says.
func New(ctx context.Context, o Options) (host.Host, error) {
	o.Config = o.Config.Filled()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a, err := newAddresses(ctx, o)
	if err != nil {
		return nil, err
	}
	fixed, err := options(o)
	if err != nil {
		return nil, err
	}
	return a.listen(ctx, func(listen []string) (host.Host, error) {
		all := append([]libp2p.Option{libp2p.ListenAddrStrings(listen...)}, fixed...)
		limits, err := limiter(o) // each attempt has its own: a host closes them with itself
		if err != nil {
			return nil, err
		}
		manager, err := connmgr.NewConnManager(o.Config.Limits.ConnectionsLow, o.Config.Limits.ConnectionsHigh)
		if err != nil {
			return nil, fmt.Errorf("managing connections: %w", err)
		}
		h, err := libp2p.New(append(all, libp2p.ResourceManager(limits), libp2p.ConnectionManager(manager))...)
		if err != nil {
			return nil, errors.Join(err, limits.Close(), manager.Close())
		}
		if asks(o) {
			err = doubt(h)
		}
		if err != nil {
			return nil, errors.Join(err, h.Close())
		}
		return h, nil
	})
}

// asks tells whether a host finds out whether it can be reached, and may need a relay if it cannot.
func asks(o Options) bool {
	return o.wide() && o.Config.Network.Relay == "client"
}

// wide tells whether the profile goes beyond the LAN.
func (o Options) wide() bool {
	return o.Config.Discovery.Profile == config.Own || o.Config.Discovery.Profile == config.Public
}

// doubt tells all parts of a host that has no public address that it is not known whether it can be reached. Otherwise they
// learn of it when others have been asked, after a quarter of a minute, and look for a relay only then.
func doubt(h host.Host) error {
	if slices.ContainsFunc(h.Addrs(), manet.IsPublicAddr) {
		return nil
	}
	e, err := h.EventBus().Emitter(new(event.EvtLocalReachabilityChanged))
	if err == nil {
		err = errors.Join(e.Emit(event.EvtLocalReachabilityChanged{Reachability: network.ReachabilityUnknown}), e.Close())
	}
	if err != nil {
		return fmt.Errorf("starting the network: %w", err)
	}
	return nil
}

// options are those that do not depend on the ports.
func options(o Options) ([]libp2p.Option, error) {
	list := []libp2p.Option{
		libp2p.Identity(o.Identity),
		libp2p.UserAgent(o.Agent),
		libp2p.ShareTCPListener(),
		libp2p.SwarmOpts(lswarm.WithDialRanker(Rank)),
	}
	list = append(list, secured()...)
	list = append(list, transports(o.Config.Network.Transports)...)
	g, err := newGater(o.Config.Peers)
	if err != nil {
		return nil, err
	}
	list = append(list, libp2p.ConnectionGater(g))
	if o.Metrics == nil {
		list = append(list, libp2p.DisableMetrics())
	} else {
		list = append(list, libp2p.PrometheusRegisterer(o.Metrics))
	}
	reach, err := reachable(o)
	return append(list, reach...), err
}

// reachable are the options by which others reach a node behind a router. A profile that keeps to itself has none.
func reachable(o Options) ([]libp2p.Option, error) {
	n := o.Config.Network
	var list []libp2p.Option
	announce, err := announced(n.Announce)
	if err != nil {
		return nil, err
	}
	if announce != nil {
		list = append(list, libp2p.AddrsFactory(announce), libp2p.DisableIdentifyAddressDiscovery())
	}
	relays, err := Peers("network.relays", n.Relays)
	if err != nil {
		return nil, err
	}
	wide := o.wide()
	if n.Relay == config.Off || !wide && len(relays) == 0 && n.Relay != "server" {
		return append(list, libp2p.DisableRelay()), nil
	}
	list = append(list, libp2p.EnableRelay())
	if n.Relay == "server" {
		list = append(list, libp2p.EnableRelayService(relay.WithLimit(circuit())), libp2p.ForceReachabilityPublic())
	}
	if n.HolePunching == config.On {
		list = append(list, libp2p.EnableHolePunching())
	}
	return append(list, outside(o, relays, wide)...), nil
}

// circuit is what a node relays on one connection at most, in each direction: enough for two to exchange something until they
// reach each other directly, not for bulk.
func circuit() *relay.RelayLimit {
	return &relay.RelayLimit{Duration: 10 * time.Minute, Data: 16 << 20}
}

// A node behind a router is not found before it has a relay. So the first one that offers itself is taken, and others are
// looked for at short intervals; one that has refused is asked again after a while.
const (
	relaySoon  = 5 * time.Second
	relayAgain = 5 * time.Minute
)

// outside are the options that ask others for help.
func outside(o Options, relays []peer.AddrInfo, wide bool) (list []libp2p.Option) {
	switch {
	case len(relays) > 0:
		list = append(list, libp2p.EnableAutoRelayWithStaticRelays(relays,
			autorelay.WithBootDelay(relaySoon), autorelay.WithMinInterval(relaySoon), autorelay.WithBackoff(relayAgain)))
		if !wide && o.Config.Network.Relay != "server" {
			list = append(list, libp2p.ForceReachabilityPrivate()) // there is nobody to ask, and the relays are named
		}
	case o.Relays != nil:
		list = append(list, libp2p.EnableAutoRelayWithPeerSource(o.Relays, autorelay.WithMinCandidates(1),
			autorelay.WithBootDelay(0), autorelay.WithMinInterval(relaySoon), autorelay.WithBackoff(relayAgain)))
	}
	if o.Config.Network.AutoNAT == config.On {
		list = append(list, libp2p.EnableAutoNATv2(), libp2p.EnableNATService())
	}
	if wide && o.Config.Network.PortMapping == config.On && !onlyLoopback(o.Config.Network.Listen) {
		list = append(list, libp2p.NATPortMap())
	}
	return list
}
