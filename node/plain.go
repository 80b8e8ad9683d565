package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hypernode/hypernode/node/swarm"
)

// scheme begins addresses of stock Hypercore peers, who speak the secret stream over plain TCP.
const scheme = "tcp://"

const (
	// maxGuests is how many stock Hypercore peers may be connected.
	maxGuests = 256

	// steady is how long a connection stands before the failures that preceded it are forgotten.
	steady = time.Second
)

// plain is the listeners for stock Hypercore peers, and those that are dialled.
type plain struct {
	n         *Node
	listeners []net.Listener
	dial      []string
	slots     chan struct{}
	hosts     atomic.Int64 // that were dialled and are connected

	mu      sync.Mutex    // guards untried
	untried int           // addresses at which no attempt has ended yet
	tried   chan struct{} // closed when there are none
}

// newPlain binds the configured tcp:// addresses.
func newPlain(n *Node) (*plain, error) {
	p := &plain{n: n, slots: make(chan struct{}, maxGuests), tried: make(chan struct{})}
	for _, text := range n.config.Network.Listen {
		address, ok := strings.CutPrefix(text, scheme)
		if !ok {
			continue
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%w at %s: %w", swarm.ErrBusy, text, err), p.close())
		}
		p.listeners = append(p.listeners, l)
	}
	for _, text := range n.config.Peers.Static {
		if address, ok := strings.CutPrefix(text, scheme); ok {
			p.dial = append(p.dial, address)
		}
	}
	if p.untried = len(p.dial); p.untried == 0 {
		close(p.tried)
	}
	return p, nil
}

// settled returns once a first attempt has been made at each address that is dialled.
func (p *plain) settled(ctx context.Context) {
	select {
	case <-p.tried:
	case <-ctx.Done():
	}
}

// connected counts the addresses to which a connection stands.
func (p *plain) connected() int { return int(p.hosts.Load()) }

// attempted notes that the first attempt at an address has ended.
func (p *plain) attempted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.untried--; p.untried == 0 {
		close(p.tried)
	}
}

// multiaddrs are the addresses of a list that are libp2p's.
func multiaddrs(list []string) (out []string) {
	for _, text := range list {
		if !strings.HasPrefix(text, scheme) {
			out = append(out, text)
		}
	}
	return out
}

func (p *plain) close() error {
	var errs []error
	for _, l := range p.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// run serves guests until ctx ends.
func (p *plain) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { p.close() })()
	var all sync.WaitGroup
	defer all.Wait()
	for _, l := range p.listeners {
		all.Go(func() { p.accept(ctx, l, &all) })
	}
	for _, address := range p.dial {
		all.Go(func() { p.stay(ctx, address) })
	}
	<-ctx.Done()
	return nil
}

func (p *plain) accept(ctx context.Context, l net.Listener, all *sync.WaitGroup) {
	for ctx.Err() == nil {
		conn, err := l.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				sleep(ctx, 100*time.Millisecond) // the process has no more files: one that is closed makes room
			}
			continue
		}
		select {
		case p.slots <- struct{}{}:
			all.Go(func() {
				defer func() { <-p.slots }()
				p.serve(ctx, conn, false)
			})
		default:
			conn.Close()
		}
	}
}

func (p *plain) serve(ctx context.Context, conn net.Conn, dialled bool) {
	err := p.n.service.ServeConn(ctx, conn, dialled)
	p.n.log.Debug("a stock peer has left", "address", conn.RemoteAddr(), "reason", err)
}

// stay keeps a connection to an address.
func (p *plain) stay(ctx context.Context, address string) {
	first := sync.OnceFunc(p.attempted)
	d := net.Dialer{Timeout: dialTime}
	for fails := 0; ctx.Err() == nil; {
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			p.hosts.Add(1)
			first()
			start := time.Now()
			p.serve(ctx, conn, true)
			p.hosts.Add(-1)
			if time.Since(start) >= steady {
				fails = 0
			}
		}
		first()
		fails++
		sleep(ctx, pause(fails))
	}
}

// addresses are where stock Hypercore peers are served.
func (p *plain) addresses() (list []string) {
	for _, l := range p.listeners {
		list = append(list, scheme+l.Addr().String())
	}
	return list
}
