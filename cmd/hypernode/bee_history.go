package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/bee"
)

type beeHistoryFlags struct {
	peerFlags
	reverse bool
	limit   int
}

func (a *app) beeHistoryCommand() *cobra.Command {
	var f beeHistoryFlags
	c := &cobra.Command{
		Use:   "history REF[@VERSION]",
		Short: "List all changes in their order",
		Long: `List what was put and deleted, the oldest first: the block, put or del, the key,
and the value, with tabs between. The version after a change is its block plus 1.`,
		Example: `  hypernode bee history ages --reverse --limit 10`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, list []string) error {
			if f.limit < 0 {
				return fail(exitUsage, "", "--limit is %d", f.limit)
			}
			return a.beeHistory(c.Context(), list[0], &f)
		},
	}
	f.add(c.Flags())
	c.Flags().BoolVar(&f.reverse, "reverse", false, "the newest first")
	c.Flags().IntVar(&f.limit, "limit", 0, "at most so many")
	return c
}

func (a *app) beeHistory(ctx context.Context, text string, f *beeHistoryFlags) error {
	return a.withBee(ctx, text, &f.peerFlags, func(ctx context.Context, b *bee.Bee) error {
		return a.lines(func(line func(text string, doc any) error) error {
			for e, err := range b.History(ctx, bee.HistoryOptions{Reverse: f.reverse, Limit: f.limit}) {
				if err != nil {
					return err
				}
				op := "put"
				if e.Deleted {
					op = "del"
				}
				doc := newJSONEntry(e.Entry)
				doc.Op = op
				if err := line(strconv.FormatUint(e.Seq, 10)+"\t"+op+"\t"+entryLine(e.Entry), doc); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
