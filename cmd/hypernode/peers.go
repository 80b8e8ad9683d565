package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// versioned is a reference with a version: NAME@12, hyper://KEY@12. Version 0 stands for the newest.
type versioned struct {
	reference
	version uint64
}

// parseVersioned reads a reference that may have a version behind an @.
func parseVersioned(text string) (v versioned, err error) {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		n, nerr := strconv.ParseUint(text[i+1:], 10, 53)
		if nerr != nil || n == 0 {
			return v, fail(exitUsage, "a version is a number from 1 on", "%s: %s is no version", plain(text), plain(text[i+1:]))
		}
		text, v.version = text[:i], n
	}
	v.reference, err = parseRef(text)
	return v, err
}

// peerFlags say where a reading command may fetch what the store lacks.
type peerFlags struct {
	peers   []string
	timeout time.Duration
}

func (f *peerFlags) add(s *pflag.FlagSet) {
	s.StringArrayVar(&f.peers, "peer", nil, "fetch what is missing from this peer, tcp://HOST:PORT; may be repeated")
	s.DurationVar(&f.timeout, "timeout", 30*time.Second, "with --peer: give up when that takes longer to join or to read")
}

// withReader opens a core to be read: of the store, and with peers also what it lacks.
func (a *app) withReader(ctx context.Context, r reference, f *peerFlags, fn func(ctx context.Context, c *core.Core) error) error {
	hosts, how, err := f.hosts()
	if err != nil {
		return err
	}
	return a.withExchange(ctx, how, len(hosts) > 0, func(ctx context.Context, x *exchange) error {
		if len(hosts) == 0 {
			c, err := r.open(ctx, x.store, true)
			if err != nil {
				return err
			}
			return x.hosted(ctx, f.timeout, r, func(ctx context.Context) error { return fn(ctx, c) })
		}
		ref := r.ref()
		ref.MustExist, ref.ReadOnly = r.name != "", true
		c, err := x.store.Open(ctx, ref)
		if err != nil {
			return fmt.Errorf("opening %s: %w", r, err)
		}
		x.dial(ctx, hosts)
		return x.within(ctx, f.timeout, r, func(ctx context.Context) error {
			if err := x.joined(ctx, c); err != nil {
				return err
			}
			if err := c.Update(ctx); err != nil {
				return err
			}
			return fn(ctx, c)
		})
	})
}

// within calls fn, and gives up when nothing has come for so long.
func (x *exchange) within(ctx context.Context, limit time.Duration, r reference, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		x.watch(ctx, limit, cancel)
	}()
	err := fn(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	cancel(nil)
	<-watched
	if errors.Is(err, errStalled) {
		err = fail(exitNoPeers, "check the address and the key, and that the peer serves it", "reading %s: nothing came from the peers for %s", r, limit)
	}
	return err
}

// hosted calls fn. When a node carries out the command, which fetches what is missing, it gives up as within does.
func (x *exchange) hosted(ctx context.Context, limit time.Duration, r reference, fn func(ctx context.Context) error) error {
	if x.app.host == nil {
		return fn(ctx)
	}
	return x.within(ctx, limit, r, fn)
}

// transfer is what is exchanged of a core, nil when it is not open.
func (x *exchange) transfer(d keys.DiscoveryKey) *replicate.Replicator {
	if x.app.host != nil {
		return x.app.host.Transfer(d)
	}
	return x.set.Core(d)
}

// errStalled ends what waits for peers from which nothing comes any more.
var errStalled = errors.New("nothing comes any more")

// watch ends a work when nothing has come for too long for any core.
func (x *exchange) watch(ctx context.Context, limit time.Duration, end context.CancelCauseFunc) {
	tick := time.NewTicker(max(limit/8, time.Millisecond))
	defer tick.Stop()
	var seen replicate.Stats
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if s := x.sum(); s.BlocksIn != seen.BlocksIn || s.BytesIn != seen.BytesIn {
				seen, last = s, now
			} else if now.Sub(last) >= limit {
				end(errStalled)
				return
			}
		}
	}
}

// sum is what came for all cores that are open.
func (x *exchange) sum() (total replicate.Stats) {
	for d, err := range x.store.List(context.Background()) {
		if err != nil {
			break
		}
		if r := x.transfer(d); r != nil {
			s := r.Stats()
			total.BlocksIn += s.BlocksIn
			total.BytesIn += s.BytesIn
		}
	}
	return total
}

// joined waits until a peer has a core, and gives up when no peer can be reached, or the core takes nothing.
func (x *exchange) joined(ctx context.Context, c *core.Core) error {
	session := x.set.Core(c.DiscoveryKey())
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for session.Stats().Peers == 0 {
		if c.Conflict() != nil {
			return core.ErrConflict
		}
		if err := x.unreachable(); err != nil {
			return fail(exitNoPeers, "check the address, and that the peer runs", "connecting to %w", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
