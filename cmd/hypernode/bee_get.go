package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/bee"
)

type beeGetFlags struct {
	peerFlags
	out string
	raw bool
}

func (a *app) beeGetCommand() *cobra.Command {
	var f beeGetFlags
	c := &cobra.Command{
		Use:   "get REF[@VERSION] KEY",
		Short: "Print the value of a key",
		Long: `Print the value of a key, and a line feed. --raw leaves the line feed away, and
--out writes the value to a file as it is.`,
		Example: `  hypernode bee get ages ann
  hypernode bee get hyper://KEY@7 ann --peer tcp://192.0.2.7:4977`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, list []string) error {
			return a.beeGet(c.Context(), list[0], list[1], &f)
		},
	}
	f.add(c.Flags())
	c.Flags().StringVarP(&f.out, "out", "o", "", "write to this file; it appears, or is replaced, when all is there")
	c.Flags().BoolVar(&f.raw, "raw", false, "print the value and nothing else")
	return c
}

// gotValue is the result of "bee get" into a file.
type gotValue struct {
	Out   string `json:"out"`
	Bytes int    `json:"bytes"`
}

func (a *app) beeGet(ctx context.Context, text, key string, f *beeGetFlags) error {
	return a.withBee(ctx, text, &f.peerFlags, func(ctx context.Context, b *bee.Bee) error {
		e, err := b.Get(ctx, []byte(key))
		if errors.Is(err, bee.ErrNotFound) {
			return noSuchKey(key)
		}
		if err != nil {
			return err
		}
		if f.out != "" && f.out != "-" {
			a.result = gotValue{f.out, len(e.Value)}
			return a.replace(f.out, func(w io.Writer) error {
				_, err := w.Write(e.Value)
				return err
			})
		}
		if a.json {
			return a.encode(newJSONEntry(e))
		}
		if !f.raw {
			e.Value = append(e.Value[:len(e.Value):len(e.Value)], '\n')
		}
		if _, err = a.stdout.Write(e.Value); err != nil {
			return fmt.Errorf("writing the value: %w", err)
		}
		return nil
	})
}
