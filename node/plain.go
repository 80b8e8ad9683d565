package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hypernode/hypernode/node/swarm"
)

// scheme begins addresses of stock Hypercore peers, who speak the secret stream over plain TCP.
const scheme = "tcp://"

// maxGuests is how many stock Hypercore peers may be connected.
const maxGuests = 256

// plain is the listeners for stock Hypercore peers, and those that are dialled.
type plain struct {
	n         *Node
	listeners []net.Listener
	dial      []string
	slots     chan struct{}
}

// newPlain binds the configured tcp:// addresses.
func newPlain(n *Node) (*plain, error) {
	p := &plain{n: n, slots: make(chan struct{}, maxGuests)}
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
	return p, nil
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
	var d net.Dialer
	for fails := 0; ctx.Err() == nil; {
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			fails = 0
			p.serve(ctx, conn, true)
		}
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
