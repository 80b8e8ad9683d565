package swarm

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/x/rate"
)

// Service is a kind of streams with limits of its own.
type Service struct {
	Name      string
	Protocols []protocol.ID
	PerPeer   int // streams of one peer
	Total     int // streams of all peers
	Memory    int // bytes that one stream reserves
}

// limiter builds what counts connections, streams and memory, for all, and for each peer, protocol and service.
func limiter(o Options) (network.ResourceManager, error) {
	limits := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&limits)
	for _, s := range o.Services {
		addService(&limits, s)
	}
	l := o.Config.Limits
	limits.PeerBaseLimit.Streams = max(limits.PeerBaseLimit.Streams, l.PeerStreams)
	concrete := limits.AutoScale()
	if l.Memory > 0 {
		concrete = limits.Scale(int64(l.Memory), descriptors())
	}
	concrete = rcmgr.PartialLimitConfig{
		PeerDefault: rcmgr.ResourceLimits{Streams: rcmgr.LimitVal(l.PeerStreams)},
	}.Build(concrete)
	options := []rcmgr.Option{
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: l.PeersPerAddress}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: l.PeersPerAddress}, {PrefixLength: 48, ConnCount: 8 * l.PeersPerAddress}},
		),
		rcmgr.WithConnRateLimiters(arrivals(l.PeersPerAddress)),
	}
	if o.Metrics == nil {
		options = append(options, rcmgr.WithMetricsDisabled())
	}
	m, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(concrete), options...)
	if err != nil {
		return nil, fmt.Errorf("setting limits: %w", err)
	}
	return m, nil
}

// arrivals bounds how fast connections come from one address: so that all that it may have can come at once, and again, then
// some each second. Those of this machine are not counted.
func arrivals(perAddress int) *rate.Limiter {
	limit := func(n int) rate.Limit { return rate.Limit{RPS: float64(n) / 16, Burst: 2 * n} }
	return &rate.Limiter{
		NetworkPrefixLimits: []rate.PrefixLimit{
			{Prefix: netip.MustParsePrefix("127.0.0.0/8")}, {Prefix: netip.MustParsePrefix("::1/128")},
		},
		SubnetRateLimiter: rate.SubnetLimiter{
			IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: limit(perAddress)}},
			IPv6SubnetLimits: []rate.SubnetLimit{
				{PrefixLength: 56, Limit: limit(perAddress)}, {PrefixLength: 48, Limit: limit(8 * perAddress)},
			},
			GracePeriod: time.Minute,
		},
	}
}

// addService sets the limits of a service and its protocols. They do not grow with the machine.
func addService(limits *rcmgr.ScalingLimitConfig, s Service) {
	total, perPeer := streams(s.Total, s.Memory), streams(s.PerPeer, s.Memory)
	limits.AddServiceLimit(s.Name, total, rcmgr.BaseLimitIncrease{})
	limits.AddServicePeerLimit(s.Name, perPeer, rcmgr.BaseLimitIncrease{})
	for _, p := range s.Protocols {
		limits.AddProtocolLimit(p, total, rcmgr.BaseLimitIncrease{})
		limits.AddProtocolPeerLimit(p, perPeer, rcmgr.BaseLimitIncrease{})
	}
}

// streams is a limit on a number of streams and the memory of all of them. What libp2p itself holds for a stream, up to 16
// MiB on fast links, counts too.
func streams(n, memory int) rcmgr.BaseLimit {
	const window = 16 << 20
	return rcmgr.BaseLimit{
		Streams: n, StreamsInbound: n, StreamsOutbound: n,
		Memory: int64(n)*int64(memory) + int64(min(n, 64))*window,
	}
}
