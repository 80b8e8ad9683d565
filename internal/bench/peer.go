package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/replicate"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// peer is a store whose cores are replicated over TCP on loopback.
type peer struct {
	*store
	set    *replicate.Set
	cancel context.CancelFunc
	work   sync.WaitGroup
}

func openPeer(ctx context.Context, t *task) (*peer, error) {
	p := &peer{set: replicate.New(replicate.Options{})}
	var err error
	p.store, err = openStoreFrom(ctx, t, p.set)
	return p, err
}

// withPeer opens a store and runs fn with connections to the task's ports, beginning before the first is made.
func withPeer(ctx context.Context, t *task, fn func(ctx context.Context, p *peer) error) error {
	p, err := openPeer(ctx, t)
	if err != nil {
		return err
	}
	ctx, p.cancel = context.WithCancel(ctx)
	err = fn(ctx, p)
	p.cancel()
	p.work.Wait()
	return errors.Join(err, p.Close())
}

// dial connects with all ports, at once. When a connection ends before the time, so does what is measured.
func (p *peer) dial(ctx context.Context, ports []int) {
	for _, port := range ports {
		p.work.Go(func() {
			defer p.cancel()
			var d net.Dialer
			conn, err := d.DialContext(ctx, "tcp", address(port))
			if err != nil {
				return
			}
			if c, err := secretstream.Client(ctx, conn, secretstream.Options{}); err == nil {
				p.set.Serve(ctx, c, p.Find)
			}
		})
	}
}

// listen takes connections until ctx ends, and returns the port.
func (p *peer) listen(ctx context.Context) (port int, err error) {
	return accept(ctx, &p.work, func(ctx context.Context, conn net.Conn) {
		if c, err := secretstream.Server(ctx, conn, secretstream.Options{}); err == nil {
			p.set.Serve(ctx, c, p.Find)
		}
	})
}

// accept calls fn in a goroutine for each connection until ctx ends.
func accept(ctx context.Context, work *sync.WaitGroup, fn func(context.Context, net.Conn)) (port int, err error) {
	listener, err := net.Listen("tcp", address(0))
	if err != nil {
		return 0, err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() { fn(ctx, conn) })
		}
	})
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// remote opens a core that others have, by its key.
func (p *peer) remote(ctx context.Context, key keys.Key) (*core.Core, error) {
	return p.Open(ctx, corestore.Key(key))
}
