package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/bee"
)

// jsonDifference is a key that two versions have differently. A side that has it not is left out.
type jsonDifference struct {
	Old *jsonEntry `json:"old,omitempty"`
	New *jsonEntry `json:"new,omitempty"`
}

func (a *app) beeDiffCommand() *cobra.Command {
	var f beeListFlags
	c := &cobra.Command{
		Use:   "diff REF@OLD REF[@NEW]",
		Short: "List the keys in which two versions differ",
		Long: `List the keys in which two versions of a bee differ, in order: "+" was added, "-"
was removed, "~" has another value, which is shown as it is in the second one.`,
		Example: `  hypernode bee diff ages@2 ages
  hypernode bee diff ages@2 ages@9 --prefix a --json`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, list []string) error {
			return a.beeDiff(c.Context(), list[0], list[1], &f)
		},
	}
	f.addTo(c)
	return c
}

func (a *app) beeDiff(ctx context.Context, before, after string, f *beeListFlags) error {
	from, err := parseVersioned(before)
	if err != nil {
		return err
	}
	to, err := parseVersioned(after)
	if err != nil {
		return err
	}
	if from.reference != to.reference || from.version == 0 {
		return fail(exitUsage, "", "want two versions of one bee: REF@OLD and REF or REF@NEW")
	}
	r, err := f.value()
	if err != nil {
		return err
	}
	return a.withBee(ctx, after, &f.peerFlags, func(ctx context.Context, b *bee.Bee) error {
		return a.lines(func(line func(text string, doc any) error) error {
			for d, err := range b.Diff(ctx, b.At(from.version), r) {
				if err != nil {
					return err
				}
				if err := line(differenceLine(d)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func differenceLine(d bee.Difference) (text string, doc jsonDifference) {
	if d.Left != nil {
		e := newJSONEntry(*d.Left)
		doc.New = &e
	}
	if d.Right != nil {
		e := newJSONEntry(*d.Right)
		doc.Old = &e
	}
	switch {
	case d.Right == nil:
		return "+ " + entryLine(*d.Left), doc
	case d.Left == nil:
		return "- " + entryLine(*d.Right), doc
	}
	return "~ " + entryLine(*d.Left), doc
}
