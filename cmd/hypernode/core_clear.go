package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

// cleared is the result of "core clear".
type cleared struct {
	Key     string `json:"key"`
	Cleared uint64 `json:"cleared"` // blocks that were stored and are not any more
	Held    uint64 `json:"held"`    // blocks that still are
}

func (a *app) clearCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "clear REF {START END | --all}",
		Short: "Free the space of blocks, keeping the log",
		Long: `Remove the blocks from START up to, not including, END from this store and free
their space. The log keeps its length and signature: the blocks count as
missing, and can be had again from those who have them. If nobody has, they are
lost.`,
		Example: `  hypernode core clear events 0 100
  hypernode core clear events --all`,
		Args: args(func(c *cobra.Command, list []string) error {
			if all {
				return cobra.ExactArgs(1)(c, list)
			}
			if len(list) == 1 {
				return &wantError{"which blocks? give START and END, or --all"}
			}
			return cobra.ExactArgs(3)(c, list)
		}),
		RunE: func(c *cobra.Command, list []string) error {
			if all {
				return a.clear(c.Context(), list[0], nil)
			}
			var b blockRange
			var err error
			if b.start, err = parseIndex(list[1]); err != nil {
				return err
			}
			if b.end, err = parseIndex(list[2]); err != nil {
				return err
			}
			if b.start > b.end {
				return fail(exitUsage, "", "clearing: %d is behind %d", b.start, b.end)
			}
			return a.clear(c.Context(), list[0], &b)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all blocks")
	return a.durable(c)
}

// clear clears blocks, all if b is nil.
func (a *app) clear(ctx context.Context, text string, b *blockRange) error {
	return a.withCore(ctx, writing, text, func(_ *corestore.Store, r reference, c *core.Core) error {
		length := c.Head().Length
		if b == nil {
			b = &blockRange{0, length}
		}
		if b.end > length {
			return wrapf(behind(b.end-1, length), "clearing %s", r)
		}
		before, err := heldBlocks(ctx, c)
		if err != nil {
			return fmt.Errorf("clearing %s: %w", r, err)
		}
		if err := c.Clear(ctx, b.start, b.end); err != nil {
			return fmt.Errorf("clearing %s: %w", r, err)
		}
		after, err := heldBlocks(ctx, c)
		if err != nil {
			return fmt.Errorf("clearing %s: %w", r, err)
		}
		a.result = cleared{address(c.Key()), before - after, after}
		if before == after {
			return fail(exitNothing, "", "%s has none of these blocks here", r)
		}
		return a.print("cleared %s", count(before-after, "block"))
	})
}

// heldBlocks is the number of blocks that are stored here.
func heldBlocks(ctx context.Context, c *core.Core) (n uint64, err error) {
	held, err := c.Held(ctx, 0, c.Head().Length)
	for _, h := range held {
		n += h.End - h.Start
	}
	return n, err
}
