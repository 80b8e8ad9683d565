package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/bee"
)

type beeListFlags struct {
	peerFlags
	rangeFlags
	keys bool
}

func (f *beeListFlags) addTo(c *cobra.Command) {
	f.peerFlags.add(c.Flags())
	f.rangeFlags.add(c.Flags())
}

func (a *app) beeListCommand() *cobra.Command {
	var f beeListFlags
	c := &cobra.Command{
		Use:   "ls REF[@VERSION]",
		Short: "List keys and values in order",
		Long: `List keys and values in the order of the keys' bytes: a line each, with a tab
between. What is not printable is spelled out as in Go strings. With --json each
entry is a document with its block; bytes that are no UTF-8 are in base64.`,
		Example: `  hypernode bee ls ages
  hypernode bee ls ages@5 --prefix a --keys
  hypernode bee ls ages --gte b --lt d --reverse --limit 10`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, list []string) error { return a.beeList(c.Context(), list[0], &f) },
	}
	f.addTo(c)
	c.Flags().BoolVar(&f.keys, "keys", false, "the keys only")
	return c
}

func (a *app) beeList(ctx context.Context, text string, f *beeListFlags) error {
	r, err := f.value()
	if err != nil {
		return err
	}
	return a.withBee(ctx, text, &f.peerFlags, func(ctx context.Context, b *bee.Bee) error {
		return a.lines(func(line func(text string, doc any) error) error {
			for e, err := range b.Range(ctx, r) {
				if err != nil {
					return err
				}
				if f.keys {
					e.Value = nil
				}
				if err := line(entryLine(e), newJSONEntry(e)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// lines writes a stream of results: a text each, or with --json a document each.
func (a *app) lines(fill func(line func(text string, doc any) error) error) error {
	w := bufio.NewWriterSize(a.stdout, 64<<10)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err := fill(func(text string, doc any) (err error) {
		if a.json {
			err = enc.Encode(doc)
		} else if _, err = w.WriteString(text); err == nil {
			err = w.WriteByte('\n')
		}
		if err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
		return nil
	})
	if ferr := w.Flush(); err == nil && ferr != nil {
		err = fmt.Errorf("writing the result: %w", ferr)
	}
	return err
}

func (a *app) beeExportCommand() *cobra.Command {
	var f beeListFlags
	c := &cobra.Command{
		Use:   "export REF[@VERSION]",
		Short: "Print all entries as lines of JSON",
		Long: `Print entries as lines of JSON, as "bee import" reads them: {"key":…,"value":…},
or "key_base64" and "value_base64" for bytes that are no UTF-8.`,
		Example: `  hypernode bee export ages > ages.ndjson`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, list []string) error {
			r, err := f.value()
			if err != nil {
				return err
			}
			a.json = true
			return a.withBee(c.Context(), list[0], &f.peerFlags, func(ctx context.Context, b *bee.Bee) error {
				return a.lines(func(line func(text string, doc any) error) error {
					for e, err := range b.Range(ctx, r) {
						if err != nil {
							return err
						}
						e.Seq = 0
						if err := line("", newJSONEntry(e)); err != nil {
							return err
						}
					}
					return nil
				})
			})
		},
	}
	f.addTo(c)
	return c
}
