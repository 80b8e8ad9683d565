package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/replicate"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// tcpScheme opens the address of a peer that speaks Hypercore's own secret stream over TCP.
const tcpScheme = "tcp://"

const (
	dialTimeout = 10 * time.Second
	firstRetry  = 200 * time.Millisecond // after a connection that ended; doubled up to lastRetry
	lastRetry   = 5 * time.Second
	maxGuests   = 512 // connections that a listener takes at once
)

// parseTCP reads tcp://HOST:PORT. To listen, the host may be missing, which means every address of the machine.
func parseTCP(text string, listen bool) (string, error) {
	u, err := url.Parse(text)
	const form = "a peer's address is tcp://HOST:PORT"
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fail(exitUsage, form, "%s is not the address of a peer", plain(text))
	}
	if u.Port() == "" {
		return "", fail(exitUsage, form, "%s has no port", plain(text))
	}
	if u.Hostname() == "" && !listen {
		return "", fail(exitUsage, form, "%s has no host", plain(text))
	}
	return u.Host, nil
}

// isTCP tells whether a text is the address of such a peer.
func isTCP(text string) bool { return strings.HasPrefix(text, tcpScheme) }

// tcpFirst splits arguments into the addresses of peers and the others.
func tcpFirst(list []string, listen bool) (peers, rest []string, err error) {
	for _, s := range list {
		if !strings.HasPrefix(s, tcpScheme) {
			rest = append(rest, s)
			continue
		}
		host, err := parseTCP(s, listen)
		if err != nil {
			return nil, nil, err
		}
		peers = append(peers, host)
	}
	return peers, rest, nil
}

// exchange is the replication of a command's store with peers over plain TCP.
type exchange struct {
	app   *app
	set   *replicate.Set
	store *corestore.Store
	find  replicate.Find
	group *errgroup.Group
	end   context.CancelFunc

	mu      sync.Mutex // guards the fields below
	dialled int        // peers that were tried
	lost    map[string]error
}

// withExchange opens the store as one whose cores fetch from peers, calls fn, and ends all connections before the store
// is closed. Without peers what the store lacks is not waited for.
func (a *app) withExchange(ctx context.Context, how access, peers bool, fn func(ctx context.Context, x *exchange) error) error {
	x := &exchange{app: a, set: replicate.New(replicate.Options{}), lost: map[string]error{}}
	var o corestore.Options
	if peers {
		o.Source = x.set
	}
	return a.withStoreOf(ctx, how, o, func(s *corestore.Store) error {
		x.store = s
		inner, end := context.WithCancel(ctx)
		x.group, inner = errgroup.WithContext(inner)
		x.end = end
		err := fn(inner, x)
		if werr := x.hangUp(); err == nil && !errors.Is(werr, context.Canceled) {
			err = werr
		}
		return err
	})
}

// hangUp ends all connections, and waits until nothing of them goes on.
func (x *exchange) hangUp() error {
	x.end()
	return x.group.Wait()
}

// dial keeps a connection to each peer until ctx ends.
func (x *exchange) dial(ctx context.Context, peers []string) {
	x.dialled = len(peers)
	for _, host := range peers {
		x.group.Go(func() error { x.keep(ctx, host); return nil })
	}
}

// keep connects to a peer, again when the connection ends.
func (x *exchange) keep(ctx context.Context, host string) {
	for wait := firstRetry; ctx.Err() == nil; wait = min(2*wait, lastRetry) {
		begun, err := x.visit(ctx, host)
		if ctx.Err() != nil {
			return
		}
		if begun {
			wait = firstRetry
		}
		x.app.detail("peer %s: %v", plain(host), endOf(err))
		x.mu.Lock()
		x.lost[host] = endOf(err)
		x.mu.Unlock()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

func endOf(err error) error {
	if err == nil {
		return errors.New("the peer ended the connection")
	}
	return err
}

// visit replicates over one connection until it ends. begun tells whether the peer spoke our language.
func (x *exchange) visit(ctx context.Context, host string) (begun bool, err error) {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return false, err
	}
	s, err := secretstream.Client(ctx, conn, secretstream.Options{})
	if err != nil {
		return false, err
	}
	x.app.detail("connected to %s", plain(host))
	x.mu.Lock()
	delete(x.lost, host)
	x.mu.Unlock()
	return true, x.set.Serve(ctx, s, x.find)
}

// unreachable returns why no peer can be reached, nil while one may be.
func (x *exchange) unreachable() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.lost) < x.dialled {
		return nil
	}
	list := make([]error, 0, len(x.lost))
	for host, err := range x.lost {
		list = append(list, fmt.Errorf("%s: %w", plain(host), err))
	}
	return errors.Join(list...)
}

// listen takes connections at an address until ctx ends, and returns the address with the port that was given.
func (x *exchange) listen(ctx context.Context, host string) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", host)
	if err != nil {
		return "", fmt.Errorf("listening at %s: %w", plain(host), err)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	x.group.Go(func() error {
		defer stop()
		return x.accept(ctx, l)
	})
	return tcpScheme + l.Addr().String(), nil
}

// accept serves each connection in a goroutine of its own. It returns when all have ended.
func (x *exchange) accept(ctx context.Context, l net.Listener) error {
	guests := semaphore.NewWeighted(maxGuests)
	defer func() { _ = guests.Acquire(context.Background(), maxGuests) }()
	for {
		if err := guests.Acquire(ctx, 1); err != nil {
			return err
		}
		conn, err := l.Accept()
		if err != nil {
			guests.Release(1)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("taking connections: %w", err)
		}
		go func() {
			defer guests.Release(1)
			x.receive(ctx, conn)
		}()
	}
}

// receive replicates with a peer that came.
func (x *exchange) receive(ctx context.Context, conn net.Conn) {
	from := conn.RemoteAddr()
	s, err := secretstream.Server(ctx, conn, secretstream.Options{})
	if err == nil {
		x.app.detail("peer %s came", from)
		err = x.set.Serve(ctx, s, x.find)
	}
	if ctx.Err() == nil {
		x.app.detail("peer %s: %v", from, endOf(err))
	}
}

// onlyThese finds the cores that are listed, all if none is.
func onlyThese(s *corestore.Store, list map[keys.DiscoveryKey]bool) replicate.Find {
	if len(list) == 0 {
		return s.Find
	}
	return findListed(s, list)
}
