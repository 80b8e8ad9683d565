package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// fetched is the result of "core fetch".
type fetched struct {
	Key     string `json:"key"`
	Length  uint64 `json:"length"`
	Fork    uint64 `json:"fork"`
	Blocks  uint64 `json:"blocks"` // that came
	Bytes   uint64 `json:"bytes"`  // of the blocks that came, as they are stored
	Missing uint64 `json:"missing"`
}

type fetchFlags struct {
	timeout time.Duration
}

func (a *app) fetchCommand() *cobra.Command {
	var f fetchFlags
	c := &cobra.Command{
		Use:   "fetch tcp://HOST:PORT... REF [INDEX[..END]]",
		Short: "Copy a core from peers over plain TCP",
		Long: `Connect to peers, "core serve" or stock JavaScript ones, and copy the core of a
key into the store: all of its blocks, or those that are named. Blocks that are
here are not fetched again, so that a fetch that was interrupted goes on. With
several peers the blocks come from all of them.

It ends when all is here, or when nothing has come for the time of --timeout:
with exit code 5 if nothing came at all, 3 if some blocks are missing.`,
		Example: `  hypernode core fetch tcp://192.0.2.7:4977 hyper://KEY
  hypernode core fetch tcp://a.example:4977 tcp://b.example:4977 KEY 0..100`,
		Args: args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, list []string) error {
			hosts, rest, err := tcpFirst(list, false)
			if err != nil {
				return err
			}
			if len(hosts) == 0 || len(rest) == 0 || len(rest) > 2 {
				return misused(c, errorf("want tcp://HOST:PORT once or more, a core, and perhaps a range"))
			}
			return a.fetch(c.Context(), hosts, rest[0], strings.Join(rest[1:], ""), &f)
		},
	}
	c.Flags().DurationVar(&f.timeout, "timeout", 30*time.Second, "give up when nothing has come for so long")
	return a.durable(c)
}

func (a *app) fetch(ctx context.Context, hosts []string, text, span string, f *fetchFlags) error {
	r, err := parseRef(text)
	if err != nil {
		return err
	}
	if f.timeout <= 0 {
		return fail(exitUsage, "", "--timeout is %s: want more than nothing", f.timeout)
	}
	return a.withExchange(ctx, making, true, func(ctx context.Context, x *exchange) error {
		ref := r.ref()
		ref.MustExist = r.name != ""
		_, err := x.store.Lookup(ctx, r.key.Discovery())
		known := err == nil || r.name != ""
		c, err := x.store.Open(ctx, ref)
		if err != nil {
			return fmt.Errorf("opening %s: %w", r, err)
		}
		if c.Conflict() != nil {
			return fmt.Errorf("fetching %s: %w", r, core.ErrConflict)
		}
		x.dial(ctx, hosts)
		d := &fetching{exchange: x, ref: r, core: c, session: x.set.Core(c.DiscoveryKey()), flags: f}
		err = d.run(ctx, span)
		if err != nil && c.Head().Length == 0 && !known {
			return errors.Join(err, x.store.Delete(context.WithoutCancel(ctx), c.DiscoveryKey()))
		}
		met := d.session.Stats().Peers > 0
		x.hangUp() // what came last is counted when its peer has been left
		if met || c.Head().Length > 0 {
			d.result()
		}
		return err
	})
}

// fetching is one "core fetch".
type fetching struct {
	*exchange
	ref     reference
	core    *core.Core
	session *replicate.Replicator
	flags   *fetchFlags

	meter   core.Meter
	missing uint64
}

func (d *fetching) run(ctx context.Context, span string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		d.watch(ctx, d.flags.timeout, cancel)
	}()
	talked := make(chan struct{})
	go func() {
		defer close(talked)
		d.app.report(ctx, "block", d.progress)
	}()
	err := d.download(ctx, span)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	cancel(nil)
	<-watched
	<-talked
	return d.judge(err)
}

// download asks for the newest head, then for blocks.
func (d *fetching) download(ctx context.Context, span string) error {
	if err := d.joined(ctx, d.core); err != nil {
		return err
	}
	if err := d.core.Update(ctx); err != nil {
		return err
	}
	b := blockRange{0, d.core.Head().Length}
	if span != "" {
		var err error
		if b, err = parseRange(span, b.end); err != nil {
			return wrapf(err, "fetching %s", d.ref)
		}
	}
	if b.start == b.end {
		return nil
	}
	err := d.core.Download(ctx, core.Want{
		Ranges: []core.Range{{Start: b.start, End: b.end}},
		Meter:  &d.meter,
	})
	if err != nil {
		d.countMissing(b)
	}
	return err
}

func (d *fetching) progress() progress {
	p := d.meter.Progress()
	return progress{Done: p.Blocks, Total: p.Total, Bytes: p.Bytes, Peers: d.session.Stats().Peers}
}

// countMissing notes how many blocks did not come.
func (d *fetching) countMissing(b blockRange) {
	held, err := d.core.Held(context.Background(), b.start, b.end)
	if err != nil {
		return
	}
	d.missing = b.end - b.start
	for _, h := range held {
		d.missing -= h.End - h.Start
	}
}

// judge gives the end of a fetch its exit code.
func (d *fetching) judge(err error) error {
	if !errors.Is(err, errStalled) {
		return err
	}
	s := d.session.Stats()
	switch {
	case s.BlocksIn > 0:
		return fail(exitPartly, "what came is kept; run it again to go on, perhaps with another peer",
			"fetching %s: nothing came for %s, %s missing", d.ref, d.flags.timeout, count(d.missing, "block"))
	case d.unreachable() != nil:
		return fail(exitNoPeers, "check the address, and that the peer runs", "fetching %s: connecting to %w", d.ref, d.unreachable())
	case s.Peers == 0:
		return fail(exitNoPeers, "check the key, and that the peer serves it",
			"fetching %s: connected, but no peer offered the core within %s", d.ref, d.flags.timeout)
	}
	return fail(exitNoPeers, "ask a peer that has them", "fetching %s: the peers have none of the %s that are missing", d.ref, count(d.missing, "block"))
}

// result tells what came, also when not all did.
func (d *fetching) result() {
	h, s := d.core.Head(), d.session.Stats()
	d.app.result = fetched{address(d.core.Key()), h.Length, h.Fork, s.BlocksIn, s.BytesIn, d.missing}
	d.app.say("fetched %s, %s; the log has %s", count(s.BlocksIn, "block"), size(s.BytesIn), count(h.Length, "block"))
}
