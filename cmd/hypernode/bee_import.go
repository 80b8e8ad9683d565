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
	"github.com/hypernode/hypernode/core"
)

// importBatch is how many entries are committed together, unless their lines have as many bytes as importBytes before.
const (
	importBatch = 1000
	importBytes = 8 << 20
)

// maxLine is the longest line: every byte of a value and its key may be printed as six.
const maxLine = 6 * core.MaxBlock

func (a *app) beeImportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "import REF [FILE]",
		Short: "Put entries from lines of JSON",
		Long: `Put entries that are read as lines of JSON, of a file or of standard input:
{"key":…,"value":…}, or "key_base64" and "value_base64" for bytes that are no
UTF-8, or "op":"del" to delete. They are committed up to a thousand at a time; a line
that is wrong ends the import, and what was committed before it stays.`,
		Example: `  hypernode bee import ages ages.ndjson
  hypernode bee export hyper://KEY | hypernode bee import copy`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, list []string) error {
			in := a.stdin
			if len(list) == 2 && list[1] != "-" {
				f, err := a.openFile(list[1])
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
	return a.withBeeWriter(ctx, text, making, func(b *bee.Bee) error {
		lines := bufio.NewScanner(a.patient(ctx, in))
		lines.Buffer(make([]byte, 64<<10), maxLine)
		var changed, n uint64
		var err error
		for more := true; more && err == nil; {
			put, read := uint64(0), 0
			full := func() bool { return put >= importBatch || read >= importBytes }
			err = b.Update(ctx, func(tx *bee.Batch) error {
				for more = lines.Scan(); more; more = !full() && lines.Scan() {
					if lines.Err() != nil {
						break // what comes with an error may be the half of a line
					}
					n++
					if len(bytes.TrimSpace(lines.Bytes())) == 0 {
						continue
					}
					if err := importLine(tx, lines.Bytes()); err != nil {
						return wrapf(err, "line %d", n)
					}
					put, read = put+1, read+len(lines.Bytes())
				}
				more = full()
				return ctx.Err() // when it ended, so did the reading
			})
			if err == nil {
				changed += put
			}
		}
		a.result = beeChanged{b.Version(), changed}
		if err == nil {
			err = readingLines(lines.Err(), n+1)
		}
		if err != nil {
			return err
		}
		return a.print("%d", b.Version())
	})
}

// readingLines says which line could not be read, and why.
func readingLines(err error, n uint64) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bufio.ErrTooLong):
		return fail(exitRefused, "keep large things in a drive", "line %d is longer than %s", n, size(maxLine))
	}
	return fmt.Errorf("reading line %d: %w", n, err)
}

// importLine carries out one line.
func importLine(tx *bee.Batch, line []byte) error {
	var j jsonEntry
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	err := d.Decode(&j)
	if err == nil && d.More() {
		err = errors.New("there is something behind it")
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		err = fmt.Errorf("%q is no text: %s", kind.Field, kind.Value)
	}
	if err != nil {
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
