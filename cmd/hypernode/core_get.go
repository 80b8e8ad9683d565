package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

// gotBlock is a block in JSON, one to a line. The value is base64.
type gotBlock struct {
	Index uint64 `json:"index"`
	Value []byte `json:"value"`
}

// gotFile is the result of "core get --out".
type gotFile struct {
	Key    string `json:"key"`
	Out    string `json:"out"`
	Blocks uint64 `json:"blocks"`
	Bytes  uint64 `json:"bytes"`
}

type getFlags struct {
	keyFile, out string
	lines        bool
}

func (a *app) getCommand() *cobra.Command {
	var f getFlags
	c := &cobra.Command{
		Use:   "get REF INDEX[..END]",
		Short: "Print blocks, byte for byte",
		Long: `Print blocks as they are, one after the other. 7..10 is the blocks 7, 8 and 9;
7.. is all from block 7 on, ..7 the first seven, .. all. Nothing is printed
unless all of them are here.

With --json each block is a line with its index, and its bytes in base64.`,
		Example: `  hypernode core get events 0
  hypernode core get events 10..20 --lines
  hypernode core get photos 3 --out cat.jpg`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, list []string) error {
			e, err := a.encryption(f.keyFile)
			if err != nil {
				return err
			}
			return a.get(c.Context(), list[0], list[1], e, &f)
		},
	}
	keyFlag(c.Flags(), &f.keyFile)
	c.Flags().StringVarP(&f.out, "out", "o", "", "write to this file; it appears, or is replaced, when all is there")
	c.Flags().BoolVar(&f.lines, "lines", false, "end each block with a line feed")
	return c
}

func (a *app) get(ctx context.Context, text, span string, e core.Encryption, f *getFlags) error {
	return a.withCore(ctx, reading, text, func(s *corestore.Store, r reference, c *core.Core) error {
		c, err := unlock(ctx, s, r, c, e, true)
		if err != nil {
			return err
		}
		b, err := parseRange(span, c.Head().Length)
		if err != nil {
			return wrapf(err, "reading %s", r)
		}
		if err := allHere(ctx, c, r, b); err != nil {
			return err
		}
		if f.out != "" && f.out != "-" {
			return a.getFile(ctx, c, r, b, f)
		}
		w := bufio.NewWriterSize(a.stdout, 64<<10)
		_, err = copyBlocks(ctx, c, r, b, a.writeBlock(w, f.lines))
		if ferr := w.Flush(); err == nil && ferr != nil {
			err = fmt.Errorf("writing the blocks: %w", ferr)
		}
		return err
	})
}

// wrapf puts what was tried before an error, keeping its code and hint.
func wrapf(err error, format string, values ...any) error {
	return fmt.Errorf(format+": %w", append(values, err)...)
}

// allHere refuses blocks of which some are missing.
func allHere(ctx context.Context, c *core.Core, r reference, b blockRange) error {
	held, err := c.Held(ctx, b.start, b.end)
	if err != nil {
		return fmt.Errorf("reading %s: %w", r, err)
	}
	next := b.start
	for _, h := range held {
		if h.Start > next {
			break
		}
		next = h.End
	}
	if next < b.end {
		return fail(exitNotFound, `"hypernode core info `+r.String()+`" tells how much of it is`, "reading %s: block %d is not stored here", r, next)
	}
	return nil
}

// writeBlock returns what writes one block to standard output.
func (a *app) writeBlock(w io.Writer, lines bool) func(i uint64, b []byte) error {
	if a.json {
		e := json.NewEncoder(w)
		return func(i uint64, b []byte) error { return e.Encode(gotBlock{i, b}) }
	}
	return rawBlock(w, lines)
}

func rawBlock(w io.Writer, lines bool) func(i uint64, b []byte) error {
	return func(_ uint64, b []byte) error {
		if lines {
			b = append(b, '\n')
		}
		_, err := w.Write(b)
		return err
	}
}

// copyBlocks gives blocks to write, in order, and returns the sum of their sizes.
func copyBlocks(ctx context.Context, c *core.Core, r reference, b blockRange, write func(i uint64, b []byte) error) (size uint64, err error) {
	i := b.start
	for block, err := range c.Blocks(ctx, b.start, b.end) {
		if err != nil {
			return size, fmt.Errorf("reading block %d of %s: %w", i, r, err)
		}
		size += uint64(len(block))
		if err := write(i, block); err != nil {
			return size, fmt.Errorf("writing block %d: %w", i, err)
		}
		i++
	}
	return size, nil
}

// getFile writes blocks to a file.
func (a *app) getFile(ctx context.Context, c *core.Core, r reference, b blockRange, f *getFlags) error {
	var size uint64
	err := a.replace(f.out, func(w io.Writer) (err error) {
		size, err = copyBlocks(ctx, c, r, b, rawBlock(w, f.lines))
		return err
	})
	if err != nil {
		return err
	}
	a.result = gotFile{address(c.Key()), f.out, b.end - b.start, size}
	a.say("wrote %s, %s, to %s", count(b.end-b.start, "block"), count(size, "byte"), plain(f.out))
	return nil
}

// replaceFile writes a file beside name and puts it in its place when it is complete. What is no plain file, a device or
// a link, is written to as it is.
func replaceFile(name string, write func(w io.Writer) error) error {
	temporary, flags := name+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		temporary, flags = name, os.O_WRONLY|os.O_TRUNC
	}
	f, err := os.OpenFile(temporary, flags, 0o666)
	if err != nil {
		return fmt.Errorf("writing %s: %w", plain(name), err)
	}
	w := bufio.NewWriterSize(f, 64<<10)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	err = errors.Join(err, f.Close())
	if temporary == name {
		return err
	}
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}
