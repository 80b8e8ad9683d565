package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
)

// verified is what was found of one core.
type verified struct {
	Name      string   `json:"name,omitempty"`
	Key       string   `json:"key,omitempty"` // empty when even that cannot be read
	Discovery string   `json:"discovery_key"`
	OK        bool     `json:"ok"`
	Frozen    bool     `json:"frozen"`
	Blocks    uint64   `json:"blocks"`
	Nodes     uint64   `json:"nodes"`
	BadBlocks []uint64 `json:"bad_blocks"`
	BadNodes  []uint64 `json:"bad_nodes"`
	Problem   string   `json:"problem,omitempty"` // with the signature, or why it could not be read
}

// verification is the result of "core verify".
type verification struct {
	OK    bool       `json:"ok"`
	Cores []verified `json:"cores"`
}

func (a *app) verifyCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "verify {REF | --all}",
		Short: "Read and check all that is stored of a core",
		Long: `Hash every stored block and hold it against the tree, the tree against its
roots, the roots against the signature. It changes nothing, and needs no
encryption key. Exit code 13 tells that something is corrupt; the blocks are
named.`,
		Example: `  hypernode core verify events
  hypernode core verify --all`,
		Args: args(func(c *cobra.Command, list []string) error {
			switch {
			case all && len(list) > 0:
				return &wantError{"give REF or --all, not both"}
			case all:
				return nil
			case len(list) == 0:
				return &wantError{"which core? give REF, or --all"}
			}
			return cobra.ExactArgs(1)(c, list)
		}),
		RunE: func(c *cobra.Command, list []string) error {
			if all {
				return a.verifyAll(c.Context())
			}
			return a.verifyOne(c.Context(), list[0])
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all cores of the store")
	return c
}

func (a *app) verifyOne(ctx context.Context, text string) error {
	return a.withCore(ctx, reading, text, func(s *corestore.Store, r reference, c *core.Core) error {
		v := newVerified(r.name, c.DiscoveryKey())
		if err := v.check(ctx, c); err != nil {
			return fmt.Errorf("verifying %s: %w", r, err)
		}
		return a.conclude([]verified{v})
	})
}

func newVerified(name string, d keys.DiscoveryKey) verified {
	return verified{Name: name, Discovery: d.String(), BadBlocks: []uint64{}, BadNodes: []uint64{}}
}

func (a *app) verifyAll(ctx context.Context) error {
	return a.withStore(ctx, reading, func(s *corestore.Store) error {
		names, err := coreNames(ctx, s)
		if err != nil {
			return fmt.Errorf("verifying: %w", err)
		}
		list := []verified{}
		for d, err := range s.List(ctx) {
			if err != nil {
				return fmt.Errorf("verifying: listing the cores: %w", err)
			}
			v := newVerified(names[d], d)
			if err := v.checkStored(ctx, s, d); err != nil {
				return fmt.Errorf("verifying the core with the discovery key %s: %w", d, err)
			}
			list = append(list, v)
		}
		return a.conclude(list)
	})
}

// checkStored opens a core and checks it. One that cannot be opened because it is corrupt is a finding, no error.
func (v *verified) checkStored(ctx context.Context, s *corestore.Store, d keys.DiscoveryKey) error {
	ref := corestore.Discovery(d)
	ref.MustExist, ref.ReadOnly = true, true
	c, err := s.Open(ctx, ref)
	if code, _ := judge(err); code == exitCorrupt {
		v.Problem = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(v.check(ctx, c), c.Close())
}

func (v *verified) check(ctx context.Context, c *core.Core) error {
	v.Key, v.Frozen = address(c.Key()), c.Conflict() != nil
	rep, err := c.Verify(ctx)
	if code, _ := judge(err); code == exitCorrupt {
		v.Problem = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	v.OK, v.Blocks, v.Nodes, v.BadBlocks, v.BadNodes = rep.OK(), rep.Blocks, rep.Nodes, some(rep.BadBlocks), some(rep.BadNodes)
	if rep.Signature != nil {
		v.Problem = rep.Signature.Error()
	}
	return nil
}

// some is a list that is empty in JSON, never null.
func some(list []uint64) []uint64 { return append([]uint64{}, list...) }

// conclude prints what was found.
func (a *app) conclude(list []verified) error {
	result := verification{OK: true, Cores: list}
	bad, frozen := uint64(0), false
	for _, v := range list {
		if !v.OK {
			bad++
		}
		result.OK, frozen = result.OK && v.OK, frozen || v.Frozen
		if err := a.print("%s", v.line()); err != nil {
			return err
		}
	}
	a.result = result
	switch {
	case bad > 0:
		return fail(exitCorrupt, "copy the blocks again from a peer or a backup; all others are as they were signed",
			"verifying: %s of %d corrupt", count(bad, "core"), len(list))
	case frozen:
		return fmt.Errorf("verifying: %w", core.ErrConflict)
	case len(list) == 0:
		a.say("the store has no cores")
	}
	return nil
}

// line is a finding in words.
func (v *verified) line() string {
	name := v.Key
	switch {
	case v.Name != "":
		name = plain(v.Name)
	case name == "":
		name = v.Discovery
	}
	if v.OK {
		return fmt.Sprintf("%s: ok, %s and %s", name, count(v.Blocks, "block"), count(v.Nodes, "tree node"))
	}
	text := name + ": corrupt"
	if len(v.BadBlocks) > 0 {
		text += ", blocks " + ranges(v.BadBlocks)
	}
	if len(v.BadNodes) > 0 {
		text += ", tree nodes " + ranges(v.BadNodes)
	}
	if v.Problem != "" {
		text += ", " + oneLine(v.Problem)
	}
	return text
}
