package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/bee"
)

// beeChanged is the result of "bee put", "bee del" and "bee import".
type beeChanged struct {
	Version uint64 `json:"version"`
	Changed uint64 `json:"changed"` // entries
}

// maxBeeValue bounds a value that is read from a file: a block has to hold it with its key and its index.
const maxBeeValue = 14 << 20

func (a *app) beePutCommand() *cobra.Command {
	var file string
	var absent bool
	c := &cobra.Command{
		Use:   "put REF KEY [VALUE]",
		Short: "Set the value of a key",
		Long: `Set the value of a key. Without VALUE it is read from standard input, or from
--file. A name that is new makes a bee. The new version is printed. What begins with
a dash stands behind --.`,
		Example: `  hypernode bee put ages ann 41
  hypernode bee put temperatures oslo -- -5
  hypernode bee put pictures cat --file cat.jpg`,
		Args: args(cobra.RangeArgs(2, 3)),
		RunE: func(c *cobra.Command, list []string) error {
			value, err := a.beeValue(c.Context(), list[2:], file)
			if err != nil {
				return err
			}
			return a.beePut(c.Context(), list[0], []byte(list[1]), value, absent)
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "read the value from this file")
	c.Flags().BoolVar(&absent, "if-absent", false, "only if the key has no value yet; else exit code 9")
	return a.durable(c)
}

// beeValue is the value as the arguments give it.
func (a *app) beeValue(ctx context.Context, rest []string, file string) ([]byte, error) {
	if len(rest) == 1 {
		if file != "" {
			return nil, fail(exitUsage, "", "give the value or --file, not both")
		}
		return []byte(rest[0]), nil
	}
	in := a.stdin
	if file != "" && file != "-" {
		f, err := a.openFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the value: %w", err)
		}
		defer f.Close()
		in = f
	}
	value, err := io.ReadAll(io.LimitReader(a.patient(ctx, in), maxBeeValue+1))
	if err != nil {
		return nil, fmt.Errorf("reading the value: %w", err)
	}
	if len(value) > maxBeeValue {
		return nil, fail(exitRefused, "keep large things in a drive", "the value is larger than %s", size(maxBeeValue))
	}
	return value, nil
}

func (a *app) beePut(ctx context.Context, text string, key, value []byte, absent bool) error {
	return a.withBeeWriter(ctx, text, making, func(b *bee.Bee) error {
		put := true
		err := error(nil)
		if absent {
			put, err = b.PutIf(ctx, key, value, func(prev, _ bee.Entry) bool { return prev.Seq == 0 })
		} else {
			err = b.Put(ctx, key, value)
		}
		if err != nil {
			return err
		}
		if !put {
			return fail(exitNothing, "", "%s has a value already", plain(string(key)))
		}
		a.result = beeChanged{b.Version(), 1}
		return a.print("%d", b.Version())
	})
}

func (a *app) beeDelCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "del REF KEY...",
		Short: "Delete keys",
		Long: `Delete keys, all in one step. The new version is printed. A key that is not there
is exit code 4, and then none is deleted.`,
		Example: `  hypernode bee del ages ann`,
		Args:    args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, list []string) error {
			return a.beeDelete(c.Context(), list[0], list[1:])
		},
	}
	return a.durable(c)
}

func (a *app) beeDelete(ctx context.Context, text string, list []string) error {
	return a.withBeeWriter(ctx, text, writing, func(b *bee.Bee) error {
		err := b.Update(ctx, func(tx *bee.Batch) error {
			for _, key := range list {
				if _, err := tx.Get([]byte(key)); errors.Is(err, bee.ErrNotFound) {
					return noSuchKey(key)
				} else if err != nil {
					return err
				}
				if err := tx.Delete([]byte(key)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		a.result = beeChanged{b.Version(), uint64(len(list))}
		return a.print("%d", b.Version())
	})
}

func noSuchKey(key string) error {
	return fail(exitNotFound, `list the keys with "hypernode bee ls REF"`, "the key %s is not there", plain(key))
}
