package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

// appended is the result of "core append".
type appended struct {
	Key    string `json:"key"`
	First  uint64 `json:"first"`
	Count  uint64 `json:"count"`
	Length uint64 `json:"length"`
	Fork   uint64 `json:"fork"`
}

func (a *app) appendCommand() *cobra.Command {
	var keyFile string
	var lines bool
	c := &cobra.Command{
		Use:   "append REF [FILE…|-]",
		Short: "Append blocks: one for each file, or for each line",
		Long: `Append one block for each FILE, or of standard input when none is named or for
"-". With --lines each line is a block, without its line feed, and is appended
as soon as no further one is waiting.

What was appended is printed as "core get" takes it: 7, or 7..10 for the blocks
7, 8 and 9. A name that is new makes a core.`,
		Example: `  echo hello | hypernode core append events
  hypernode core append photos *.jpg
  tail -f access.log | hypernode core append access --lines`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, list []string) error {
			e, err := a.encryption(keyFile)
			if err != nil {
				return err
			}
			in := input{stdin: a.stdin, disk: a.fileSystem(), files: list[1:], lines: lines, limit: core.MaxBlock}
			return a.append(c.Context(), list[0], e, &in)
		},
	}
	keyFlag(c.Flags(), &keyFile)
	c.Flags().BoolVar(&lines, "lines", false, "one block for each line")
	return a.durable(c)
}

func (a *app) append(ctx context.Context, text string, e core.Encryption, in *input) error {
	r, err := parseRef(text)
	if err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	how := writing
	if r.name != "" {
		how = making
	}
	return a.withStore(ctx, how, func(s *corestore.Store) error {
		c, err := a.openToAppend(ctx, s, r, e)
		if err != nil {
			return err
		}
		first, n, err := a.appendAll(ctx, c, r, in)
		if n == 0 && err != nil {
			return err
		}
		h := c.Head()
		a.result = appended{address(c.Key()), first, n, h.Length, h.Fork}
		if n == 0 {
			return fail(exitNothing, "", "nothing to append to %s", r)
		}
		return errors.Join(err, a.print("%s", blockRange{first, first + n}))
	})
}

// openToAppend opens a core, and makes one of a new name.
func (a *app) openToAppend(ctx context.Context, s *corestore.Store, r reference, e core.Encryption) (*core.Core, error) {
	if r.name != "" {
		c, fresh, err := findOrMake(ctx, s, r, e, false)
		if fresh && err == nil {
			a.say("made the core %s %s", r, address(c.Key()))
		}
		return c, err
	}
	c, err := r.open(ctx, s, false)
	if err != nil {
		return nil, err
	}
	return unlock(ctx, s, r, c, e, false)
}

// appendAll appends what comes in, group by group, and returns what was appended, also when it ends with an error.
func (a *app) appendAll(ctx context.Context, c *core.Core, r reference, in *input) (first, n uint64, err error) {
	first = c.Head().Length
	for err == nil {
		var blocks [][]byte
		if blocks, err = in.next(ctx); len(blocks) == 0 {
			break
		}
		i, aerr := c.Append(ctx, blocks...)
		if aerr != nil {
			err = fmt.Errorf("appending to %s: %w", r, aerr)
			break
		}
		n += uint64(len(blocks))
		a.detail("appended %s", blockRange{i, i + uint64(len(blocks))})
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return first, n, err
}
