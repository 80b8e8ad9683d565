package core_test

import (
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
)

// ask has a side of a core take the origin's answers to some requests, all in one call.
func (w *crashWorld) ask(c *crashCore, side int, requests ...*merkle.Request) ([]core.Verdict, error) {
	proofs := make([]*merkle.Proof, len(requests))
	for i, q := range requests {
		q.ID, q.Fork = uint64(i+1), c.origin.Head().Fork
		p, err := c.origin.Prove(w.ctx, q)
		if err != nil {
			return nil, fmt.Errorf("proving: %w", err)
		}
		proofs[i] = p
	}
	verdicts, err := c.on[side].Apply(w.ctx, proofs...)
	for i, v := range verdicts {
		if err == nil && v.Err != nil {
			err = fmt.Errorf("proof %d: %w", i, v.Err)
		}
	}
	return verdicts, err
}

// grow appends to the origin of a core.
func (w *crashWorld) grow(c *crashCore, n int) error {
	blocks := w.content(n)
	if _, err := c.origin.Append(w.ctx, blocks...); err != nil {
		return err
	}
	c.blocks = append(c.blocks[:len(c.blocks):len(c.blocks)], blocks...)
	return nil
}

// upgrade brings in a longer head of the origin.
func (w *crashWorld) upgrade(c *crashCore) error {
	if len(c.blocks) > maxCrashLength {
		return w.fetch(c)
	}
	if c.on[shadow].Conflict() != nil {
		return nil
	}
	if err := w.grow(c, 1+w.rng.IntN(10)); err != nil {
		return err
	}
	return w.step(true, crashMove{core: c, blocks: c.blocks, do: func(side int) error {
		from, to := c.on[side].Head().Length, c.origin.Head().Length
		_, err := w.ask(c, side, &merkle.Request{
			Upgrade: &merkle.UpgradeRequest{Start: from, Length: to - from}, Manifest: from == 0,
		})
		return err
	}})
}

// fetch brings in some blocks with one commit.
func (w *crashWorld) fetch(c *crashCore) error {
	n := c.on[shadow].Head().Length
	if n == 0 || c.on[shadow].Conflict() != nil {
		return nil
	}
	var list []uint64
	for range 1 + w.rng.IntN(5) {
		list = append(list, w.rng.Uint64N(n))
	}
	return w.step(true, crashMove{core: c, blocks: c.blocks, do: func(side int) error {
		var requests []*merkle.Request
		for _, i := range list {
			nodes, err := c.on[side].MissingNodes(w.ctx, i)
			if err != nil {
				return err
			}
			requests = append(requests, &merkle.Request{Block: &merkle.BlockRequest{Index: i, Nodes: nodes}})
		}
		_, err := w.ask(c, side, requests...)
		return err
	}})
}

// reorg has the origin cut its log, and the core follow to the new fork.
func (w *crashWorld) reorg(c *crashCore) error {
	n := c.on[shadow].Head().Length
	if n < 2 || c.on[shadow].Conflict() != nil {
		return nil
	}
	keep := 1 + w.rng.Uint64N(n-1)
	if err := c.origin.Truncate(w.ctx, keep); err != nil {
		return err
	}
	c.blocks = c.blocks[:keep]
	if err := w.grow(c, 1+w.rng.IntN(6)); err != nil {
		return err
	}
	return w.step(false, crashMove{core: c, blocks: c.blocks, do: func(side int) error {
		q := &merkle.Request{Upgrade: &merkle.UpgradeRequest{Length: c.origin.Head().Length}}
		for q != nil {
			verdicts, err := w.ask(c, side, q)
			if err != nil {
				return err
			}
			q = verdicts[0].Next
		}
		return nil
	}})
}

// conflict shows the core a second history, which freezes it.
func (w *crashWorld) conflict(c *crashCore) error {
	h := c.on[shadow].Head()
	if h.Length == 0 || h.Fork != 0 || c.on[shadow].Conflict() != nil {
		return nil
	}
	return w.step(false, crashMove{core: c, blocks: c.blocks, do: func(side int) error {
		p, err := w.secondHistory(c)
		if err != nil {
			return err
		}
		verdicts, err := c.on[side].Apply(w.ctx, p)
		if err == nil && c.on[side].Conflict() == nil {
			err = fmt.Errorf("no conflict was seen: %w", verdicts[0].Err)
		}
		return err
	}})
}

// secondHistory is a proof of another log that the core's key has signed.
func (w *crashWorld) secondHistory(c *crashCore) (*merkle.Proof, error) {
	db := newShadow()
	defer db.Close()
	other, err := core.Open(w.ctx, db, core.Options{Pair: c.pair, Derived: true})
	if err != nil {
		return nil, err
	}
	defer other.Close()
	n := c.on[shadow].Head().Length
	blocks := slices.Repeat([][]byte{[]byte("another history")}, int(n)) // empty ones the core might have too
	if _, err := other.Append(w.ctx, blocks...); err != nil {
		return nil, err
	}
	return other.Prove(w.ctx, &merkle.Request{Upgrade: &merkle.UpgradeRequest{Length: n}})
}
