package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

// truncated is the result of "core truncate".
type truncated struct {
	Key     string `json:"key"`
	Length  uint64 `json:"length"`
	Fork    uint64 `json:"fork"`
	Removed uint64 `json:"removed"`
}

func (a *app) truncateCommand() *cobra.Command {
	var fork string
	c := &cobra.Command{
		Use:   "truncate REF LENGTH",
		Short: "Cut a core to its first LENGTH blocks and begin a new fork",
		Long: `Cut a core to its first LENGTH blocks. What is cut is gone, here and with every
reader that follows. The fork goes up by one, or to the number of --fork, which
must be above the present one.

A core that has that length is left as it is (exit code 9), unless --fork is
given.`,
		Example: `  hypernode core truncate events 100`,
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, list []string) error {
			length, err := parseIndex(list[1])
			if err != nil {
				return err
			}
			var to *uint64
			if c.Flags().Changed("fork") {
				n, err := parseIndex(fork)
				if err != nil {
					return err
				}
				to = &n
			}
			return a.truncate(c.Context(), list[0], length, to)
		},
	}
	c.Flags().StringVar(&fork, "fork", "", "number of the new fork (default the present one and 1)")
	return a.durable(c)
}

func (a *app) truncate(ctx context.Context, text string, length uint64, fork *uint64) error {
	return a.withCore(ctx, writing, text, func(_ *corestore.Store, r reference, c *core.Core) error {
		before := c.Head()
		var err error
		switch {
		case length > before.Length:
			return fail(exitNotFound, "a core can only be cut shorter", "cutting %s to %s: it has %d", r, count(length, "block"), before.Length)
		case fork != nil && *fork <= before.Fork:
			return fail(exitUsage, "leave --fork away", "cutting %s: fork %d is not above the present one, %d", r, *fork, before.Fork)
		case fork != nil:
			err = c.TruncateTo(ctx, length, *fork)
		case length < before.Length:
			err = c.Truncate(ctx, length)
		}
		if err != nil {
			return fmt.Errorf("cutting %s: %w", r, err)
		}
		h := c.Head()
		a.result = truncated{address(c.Key()), h.Length, h.Fork, before.Length - h.Length}
		if h == before {
			return fail(exitNothing, "", "%s has %s", r, count(h.Length, "block"))
		}
		return a.print("length %d, fork %d", h.Length, h.Fork)
	})
}
