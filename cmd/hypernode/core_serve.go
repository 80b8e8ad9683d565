package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// serving is the line of "core serve --json", printed when all addresses are open.
type serving struct {
	Addresses []string `json:"addresses"`
	Cores     []string `json:"cores,omitempty"` // none stands for all
}

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve tcp://HOST:PORT... [REF...]",
		Short: "Give cores to peers over plain TCP",
		Long: `Give the cores of the store, or only those that are named, to every peer that
connects and knows their key: to "core fetch", and to stock JavaScript peers that
pipe core.replicate() into a socket.

The connection is encrypted. Port 0 takes a free port; without a host it listens
on every address of the machine. Serving ends with an interrupt.`,
		Example: `  hypernode core serve tcp://127.0.0.1:4977
  hypernode core serve tcp://:4977 events`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, list []string) error {
			hosts, refs, err := tcpFirst(list, true)
			if err != nil {
				return err
			}
			if len(hosts) == 0 {
				return misused(c, errorf("no address to listen at: want tcp://HOST:PORT"))
			}
			return a.serve(c.Context(), hosts, refs)
		},
	}
}

func (a *app) serve(ctx context.Context, hosts, refs []string) error {
	err := a.withExchange(ctx, reading, true, func(ctx context.Context, x *exchange) error {
		listed, names, err := openListed(ctx, x.store, refs)
		if err != nil {
			return err
		}
		x.find = onlyThese(x.store, listed)
		out := serving{Cores: names}
		for _, host := range hosts {
			at, err := x.listen(ctx, host)
			if err != nil {
				return err
			}
			out.Addresses = append(out.Addresses, at)
		}
		if err := a.printServing(&out); err != nil {
			return err
		}
		return x.group.Wait()
	})
	if ctx.Err() != nil {
		return nil // a server has no other end
	}
	return err
}

func (a *app) printServing(out *serving) error {
	if a.json {
		return a.encode(out)
	}
	for _, at := range out.Addresses {
		if err := a.print("%s", at); err != nil {
			return err
		}
	}
	a.say("serving at %s; stop with Ctrl-C", strings.Join(out.Addresses, " "))
	return nil
}

// openListed looks up the cores that a user names, so that a wrong name is told at once.
func openListed(ctx context.Context, s *corestore.Store, refs []string) (map[keys.DiscoveryKey]bool, []string, error) {
	listed := map[keys.DiscoveryKey]bool{}
	var names []string
	for _, text := range refs {
		r, err := parseRef(text)
		if err != nil {
			return nil, nil, err
		}
		c, err := r.open(ctx, s, true)
		if err != nil {
			return nil, nil, err
		}
		listed[c.DiscoveryKey()] = true
		names = append(names, address(c.Key()))
		if err := c.Close(); err != nil {
			return nil, nil, fmt.Errorf("closing %s: %w", r, err)
		}
	}
	return listed, names, nil
}

// findListed finds none but the cores that are listed.
func findListed(s *corestore.Store, listed map[keys.DiscoveryKey]bool) replicate.Find {
	return func(ctx context.Context, d keys.DiscoveryKey) (*core.Core, error) {
		if !listed[d] {
			return nil, core.ErrNotFound
		}
		return s.Find(ctx, d)
	}
}
