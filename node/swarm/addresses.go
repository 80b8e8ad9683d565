package swarm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p/core/host"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/hypernode/hypernode/config"
)

// attempts is how often free ports are chosen anew when others were quicker.
const attempts = 8

// addresses are where a host shall listen.
type addresses struct {
	explicit   []ma.Multiaddr // what the user wrote down: each must be bound
	transports []transport    // those that listen at the default port when nothing is written down
	port       int
	log        *slog.Logger
}

func newAddresses(_ context.Context, o Options) (*addresses, error) {
	a := &addresses{transports: chosen(o.Config.Network.Transports), port: o.Config.Network.Port, log: o.Logger}
	for _, text := range o.Config.Network.Listen {
		if strings.HasPrefix(text, "tcp://") {
			continue // for stock Hypercore peers, no business of libp2p
		}
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			return nil, badAddress("network.listen", text, err)
		}
		a.explicit = append(a.explicit, addr)
	}
	return a, nil
}

// listen builds a host by make, which is given the addresses, and makes sure that they are bound.
func (a *addresses) listen(ctx context.Context, make func([]string) (host.Host, error)) (host.Host, error) {
	var last error
	for attempt := range attempts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		list, chosen, err := a.choose(attempt)
		if err != nil {
			return nil, err
		}
		h, err := attempted(list, make)
		if err == nil {
			return h, nil
		}
		if !chosen {
			return nil, a.failure(err)
		}
		last = err
	}
	return nil, a.failure(last)
}

// attempted builds a host that listens at all addresses of a list, or none.
func attempted(list []string, make func([]string) (host.Host, error)) (host.Host, error) {
	for _, text := range list {
		if err := probe(text); err != nil {
			return nil, fmt.Errorf("%w at %s: %w", ErrBusy, text, err)
		}
	}
	h, err := make(list)
	if err != nil {
		return nil, err
	}
	if missing := unbound(h, list); len(missing) > 0 {
		h.Close()
		return nil, fmt.Errorf("%w at %s", ErrBusy, strings.Join(missing, ", "))
	}
	return h, nil
}

// failure makes an error of libp2p, which tells by texts alone, one of this package.
func (a *addresses) failure(err error) error {
	if !errors.Is(err, ErrBusy) && strings.Contains(err.Error(), "address already in use") {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return fmt.Errorf("starting the network: %w", err)
}

// choose returns the addresses of an attempt, and whether another attempt may choose others.
func (a *addresses) choose(attempt int) (list []string, again bool, err error) {
	if len(a.explicit) > 0 {
		return a.settle()
	}
	port := a.port
	if port == config.FreePort || attempt > 0 || !free(port, true, true) {
		if port, err = freePort(true, true); err != nil {
			return nil, false, err
		}
		if a.port != config.FreePort {
			a.log.Info("the port is busy, another one is taken", "port", a.port, "taken", port)
		}
	}
	for _, ip := range families() {
		for _, t := range a.transports {
			list = append(list, t.address(ip, port))
		}
	}
	return list, true, nil
}

// settle puts one free port in the place of port 0, so that transports which can share a port do.
func (a *addresses) settle() (list []string, again bool, err error) {
	var udp, tcp bool
	for _, addr := range a.explicit {
		udp, tcp = udp || zeroPort(addr, ma.P_UDP), tcp || zeroPort(addr, ma.P_TCP)
	}
	port := 0
	if udp || tcp {
		if port, err = freePort(tcp, udp); err != nil {
			return nil, false, err
		}
	}
	for _, addr := range a.explicit {
		text := addr.String()
		for _, protocol := range []string{"/tcp/0", "/udp/0"} {
			text = replaceEnd(text, protocol, fmt.Sprintf("%s%d", strings.TrimSuffix(protocol, "0"), port))
		}
		list = append(list, text)
	}
	return list, udp || tcp, nil
}

func zeroPort(a ma.Multiaddr, protocol int) bool {
	port, err := a.ValueForProtocol(protocol)
	return err == nil && port == "0"
}

// replaceEnd replaces a component of an address, where it is whole.
func replaceEnd(text, component, by string) string {
	if strings.HasSuffix(text, component) {
		return strings.TrimSuffix(text, component) + by
	}
	return strings.Replace(text, component+"/", by+"/", 1)
}

// unbound returns the addresses of a list at which h does not listen.
func unbound(h host.Host, list []string) (missing []string) {
	var bound []string
	for _, addr := range h.Network().ListenAddresses() {
		bound = append(bound, bare(addr).String())
	}
	for _, text := range list {
		addr, err := ma.NewMultiaddr(text)
		if err != nil || !slices.Contains(bound, addr.String()) {
			missing = append(missing, text)
		}
	}
	return missing
}

// bare is an address without the hashes of certificates that a transport adds.
func bare(addr ma.Multiaddr) ma.Multiaddr {
	var out ma.Multiaddr
	for _, c := range addr {
		if c.Protocol().Code != ma.P_CERTHASH {
			out = append(out, c)
		}
	}
	return out
}

// onlyLoopback tells whether a list of addresses has none that another machine could reach.
func onlyLoopback(list []string) bool {
	found := false
	for _, text := range list {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			continue
		}
		if !manet.IsIPLoopback(addr) {
			return false
		}
		found = true
	}
	return found
}

// announced makes a list of addresses what a host tells others; nil for an empty list.
func announced(list []string) (func([]ma.Multiaddr) []ma.Multiaddr, error) {
	var addrs []ma.Multiaddr
	for _, text := range list {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			return nil, badAddress("network.announce", text, err)
		}
		addrs = append(addrs, addr)
	}
	if addrs == nil {
		return nil, nil
	}
	return func([]ma.Multiaddr) []ma.Multiaddr { return addrs }, nil
}
