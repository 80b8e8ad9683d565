package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

// seeder is what keeps the list of seeds: the node that runs, or the store.
type seeder interface {
	Seed(ctx context.Context, k keys.Key, o node.SeedOptions) error
	Unseed(ctx context.Context, k keys.Key) error
}

// withSeeder calls fn with the node that runs, else with one that only writes down what is to be done.
func (a *app) withSeeder(ctx context.Context, f *nodeFlags, how access, fn func(s seeder, runs bool) error) error {
	c, origin, err := a.configuration(f, true)
	if err != nil {
		return err
	}
	client, err := a.dialNode(ctx, c)
	if err == nil {
		defer client.Close()
		return noNode(fn(client, true))
	}
	if !errors.Is(err, api.ErrNotRunning) {
		return err
	}
	if there, err := storeExists(c); how != making && (err != nil || !there) {
		return errors.Join(err, noStore(c.StorePath()))
	}
	tell, err := a.firstRun(c, origin)
	if err != nil {
		return err
	}
	return a.withQuietNode(ctx, c, func(n *node.Node) error {
		tell()
		return fn(n, false)
	})
}

// parseKeys reads keys or addresses.
func parseKeys(list []string) ([]keys.Key, error) {
	out := make([]keys.Key, 0, len(list))
	for _, s := range list {
		r, err := parseRef(s)
		if err != nil {
			return nil, err
		}
		if r.name != "" {
			return nil, fail(exitUsage, "an address is "+scheme+"KEY", "%s is no key", plain(s))
		}
		out = append(out, r.key)
	}
	return out, nil
}

// seededKeys is the result of "seed", unseededKeys that of "unseed".
type (
	seededKeys struct {
		Seeded  []string `json:"seeded"`
		Running bool     `json:"running"` // a node runs, which fetches them
	}
	unseededKeys struct {
		Unseeded []string `json:"unseeded"`
	}
)

func (a *app) seedCommand() *cobra.Command {
	var f nodeFlags
	var o node.SeedOptions
	c := &cobra.Command{
		Use:   "seed KEY...",
		Short: "Keep copies of drives and cores, and serve them",
		Long: `Keep complete copies of drives, with their contents, or of cores, and serve them
whenever a node runs. The list is kept over restarts.`,
		Example: `  hypernode seed hyper://KEY --label photos`,
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, list []string) error {
			wanted, err := parseKeys(list)
			if err != nil {
				return err
			}
			return a.withSeeder(c.Context(), &f, making, func(s seeder, runs bool) error {
				done := seededKeys{[]string{}, runs}
				for _, k := range wanted {
					if err := s.Seed(c.Context(), k, o); err != nil {
						return fmt.Errorf("seeding %s: %w", address(k), err)
					}
					done.Seeded = append(done.Seeded, address(k))
					a.result = done
				}
				if !runs {
					a.say(`noted; it is fetched and served when a node runs: "hypernode node run"`)
				}
				return nil
			})
		},
	}
	f.add(c.Flags())
	c.Flags().Var((*byteSize)(&o.MaxBytes), "max-bytes", "keep at most so much of each, like 10GiB; 0 is no limit")
	c.Flags().IntVar(&o.Priority, "priority", 0, "higher ones are fetched first")
	c.Flags().StringVar(&o.Label, "label", "", "a name for people")
	return c
}

func (a *app) unseedCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:     "unseed KEY...",
		Short:   "Keep copies no longer",
		Long:    `Take keys off the list of seeds. What is stored stays until it is deleted.`,
		Example: `  hypernode unseed hyper://KEY`,
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, list []string) error {
			wanted, err := parseKeys(list)
			if err != nil {
				return err
			}
			return a.withSeeder(c.Context(), &f, writing, func(s seeder, _ bool) error {
				done := unseededKeys{[]string{}}
				for _, k := range wanted {
					if err := s.Unseed(c.Context(), k); notSeeded(err) {
						return fail(exitNotFound, `list the seeds with "hypernode seeds"`, "%s is not seeded", address(k))
					} else if err != nil {
						return fmt.Errorf("unseeding %s: %w", address(k), err)
					}
					done.Unseeded = append(done.Unseeded, address(k))
					a.result = done
				}
				return nil
			})
		},
	}
	f.add(c.Flags())
	return c
}

// notSeeded tells whether an error, of this process or of the node that runs, is that of a key that is not on the list.
func notSeeded(err error) bool {
	var answer *api.Error
	return errors.Is(err, node.ErrNotSeeded) || errors.As(err, &answer) && answer.Code == api.CodeNotFound
}

func (a *app) seedsCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:   "seeds",
		Short: "List the seeds",
		Long: `List what is kept and served: the address, how much of it is here while a node
runs and what is wrong, and the label, with tabs between.`,
		Example: `  hypernode seeds --json`,
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withSeeder(c.Context(), &f, reading, func(s seeder, runs bool) error {
				list, err := listSeeds(c.Context(), s)
				if err != nil {
					return err
				}
				rows, docs := [][]string{}, []any{}
				for _, s := range list {
					rows, docs = append(rows, seedRow(s, runs)), append(docs, seedDocument{address(s.Key), s})
				}
				return a.listing([]string{"ADDRESS", "HELD", "LABEL"}, rows, docs)
			})
		},
	}
	f.add(c.Flags())
	return c
}

func listSeeds(ctx context.Context, s seeder) ([]node.Seed, error) {
	if n, ok := s.(*node.Node); ok {
		return n.Seeds(), nil
	}
	return s.(*api.Client).Seeds(ctx)
}

// seedDocument is a seed with --json: its key is an address, as everywhere.
type seedDocument struct {
	Key string `json:"key"`
	node.Seed
}

func seedRow(s node.Seed, runs bool) []string {
	held := "-"
	if runs {
		have, all := s.Contiguous, s.Length
		if s.Content != nil {
			have, all = have+s.Content.Contiguous, all+s.Content.Length
		}
		held = fmt.Sprintf("%d of %s, %s", have, count(all, "block"), count(uint64(s.Peers), "peer"))
		switch s.Limited {
		case node.LimitedByQuota:
			held += ", at its quota of " + size(uint64(s.MaxBytes))
		case node.LimitedByStore:
			held += ", the store is full"
		}
		if s.Failed != "" {
			held += ", failed: " + oneField([]byte(spoken(s.Failed)))
		}
	}
	return []string{address(s.Key), held, oneField([]byte(s.Label))}
}
