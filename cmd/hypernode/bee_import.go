package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/bee"
)

// importBatch is how many entries are committed together.
const importBatch = 1000

func (a *app) beeImportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "import REF [FILE]",
		Short: "Put entries from lines of JSON",
		Long: `Put entries that are read as lines of JSON, of a file or of standard input:
{"key":…,"value":…}, or "key_base64" and "value_base64" for bytes that are no
UTF-8, or "op":"del" to delete. They are committed a thousand at a time; a line
that is wrong ends the import, and what was committed before it stays.`,
		Example: `  hypernode bee import ages ages.ndjson
  hypernode bee export hyper://KEY | hypernode bee import copy`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, list []string) error {
			in := a.stdin
			if len(list) == 2 && list[1] != "-" {
				f, _, err := a.open(list[1])
				if err != nil {
					return fmt.Errorf("reading the entries: %w", err)
				}
				defer f.Close()
				in = f
			}
			return a.beeImport(c.Context(), list[0], in)
		},
	}
	return a.durable(c)
}

func (a *app) beeImport(ctx context.Context, text string, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), 2*maxBeeValue)
	return a.withBeeWriter(ctx, text, making, func(b *bee.Bee) error {
		var changed, n uint64
		var err error
		for more := true; more && err == nil; {
			err = b.Update(ctx, func(tx *bee.Batch) error {
				var put uint64
				for more = lines.Scan(); more; more = put < importBatch && lines.Scan() {
					n++
					if len(bytes.TrimSpace(lines.Bytes())) == 0 {
						continue
					}
					if err := importLine(tx, lines.Bytes()); err != nil {
						return wrapf(err, "line %d", n)
					}
					put++
				}
				more = put == importBatch
				changed += put
				return ctx.Err()
			})
		}
		a.result = beeChanged{b.Version(), changed}
		if err = errors.Join(err, lines.Err()); err != nil {
			return err
		}
		return a.print("%d", b.Version())
	})
}

// importLine carries out one line.
func importLine(tx *bee.Batch, line []byte) error {
	var j jsonEntry
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return fail(exitUsage, `an entry is {"key":"…","value":"…"}`, "no entry: %w", err)
	}
	key, err := fromJSON(j.Key, j.KeyBase64)
	if err != nil || key == nil {
		return fail(exitUsage, `an entry is {"key":"…","value":"…"}`, "no key, or no good one")
	}
	value, err := fromJSON(j.Value, j.ValueBase64)
	if err != nil {
		return fail(exitUsage, "", "value_base64: %w", err)
	}
	switch j.Op {
	case "", "put":
		return tx.Put(key, value)
	case "del":
		return tx.Delete(key)
	}
	return fail(exitUsage, `"op" is "put" or "del"`, "%s is no operation", plain(j.Op))
}

// fromJSON returns the bytes of a field in one of its two forms, nil if it is missing.
func fromJSON(text, coded *string) ([]byte, error) {
	if text != nil {
		return []byte(*text), nil
	}
	if coded == nil {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(*coded)
	if err == nil && b == nil {
		b = []byte{}
	}
	return b, err
}
