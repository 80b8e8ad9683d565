package core_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
)

const (
	maxCrashCores  = 4
	maxCrashLength = 90
)

// next takes a random step.
func (w *crashWorld) next() error {
	live := w.live()
	if len(live) == 0 || len(live) < maxCrashCores && w.rng.IntN(8) == 0 {
		return w.create()
	}
	c := live[w.rng.IntN(len(live))]
	if c.remote {
		return w.nextRemote(c)
	}
	switch n := w.rng.IntN(100); {
	case n < 30:
		return w.step(false, w.append(c, 1))
	case n < 50:
		return w.step(false, w.append(c, 2+w.rng.IntN(12)))
	case n < 56:
		return w.together(live)
	case n < 66:
		return w.clear(c)
	case n < 75:
		return w.truncate(c)
	default:
		return w.nextCommon(c, n)
	}
}

// nextCommon takes a step that any core can take.
func (w *crashWorld) nextCommon(c *crashCore, n int) error {
	switch {
	case n < 82:
		return w.setUser(c)
	case n < 86:
		return w.show(c)
	case n < 89:
		return w.reopen(c)
	case n < 92:
		return w.delete(c)
	case n < 94:
		err := w.db[tested].Sync(w.ctx)
		if err == nil {
			w.settled()
		}
		return err
	case n < 96:
		return w.restart()
	default:
		return w.kill()
	}
}

func (w *crashWorld) nextRemote(c *crashCore) error {
	switch n := w.rng.IntN(100); {
	case n < 25:
		return w.upgrade(c)
	case n < 55:
		return w.fetch(c)
	case n < 65:
		return w.clear(c)
	case n < 72:
		return w.reorg(c)
	case n < 74:
		return w.conflict(c)
	default:
		return w.nextCommon(c, n)
	}
}

// live are the cores that are there.
func (w *crashWorld) live() []*crashCore {
	return slices.DeleteFunc(slices.Clone(w.cores), func(c *crashCore) bool { return c.gone })
}

func (w *crashWorld) append(c *crashCore, n int) crashMove {
	if len(c.blocks)+n > maxCrashLength {
		n = 1
	}
	blocks := w.content(n)
	return crashMove{core: c, blocks: append(slices.Clip(c.blocks), blocks...), do: func(side int) error {
		at := c.on[side].Head().Length
		first, err := c.on[side].Append(w.ctx, blocks...)
		if err == nil && first != at {
			err = fmt.Errorf("appended at %d, not at %d", first, at)
		}
		return err
	}}
}

// together appends to several cores at the same time, which may or may not share commits.
func (w *crashWorld) together(live []*crashCore) error {
	var moves []crashMove
	for _, c := range live {
		if !c.remote {
			moves = append(moves, w.append(c, 1+w.rng.IntN(4)))
		}
	}
	return w.step(false, moves...)
}

func (w *crashWorld) clear(c *crashCore) error {
	n := uint64(len(c.blocks))
	if n == 0 {
		return nil
	}
	from := w.rng.Uint64N(n)
	to := from + 1 + w.rng.Uint64N(n-from+3)
	return w.step(true, crashMove{core: c, blocks: c.blocks, do: func(side int) error {
		return c.on[side].Clear(w.ctx, from, to)
	}})
}

func (w *crashWorld) truncate(c *crashCore) error {
	keep := w.rng.Uint64N(uint64(len(c.blocks)) + 1)
	return w.step(false, crashMove{core: c, blocks: c.blocks[:keep:keep], do: func(side int) error {
		return c.on[side].Truncate(w.ctx, keep)
	}})
}

func (w *crashWorld) setUser(c *crashCore) error {
	name := userNames[w.rng.IntN(len(userNames))]
	var value []byte
	if w.rng.IntN(4) > 0 {
		w.serial++
		value = fmt.Appendf(nil, "%d", w.serial)
	}
	return w.step(false, crashMove{core: c, blocks: c.blocks, do: func(side int) error {
		return c.on[side].SetUserData(w.ctx, name, value)
	}})
}

// show answers a peer: what it saw must never be taken back.
func (w *crashWorld) show(c *crashCore) error {
	h := c.on[tested].Head()
	p, err := c.on[tested].Prove(w.ctx, &merkle.Request{ID: 1, Fork: h.Fork, Upgrade: &merkle.UpgradeRequest{Length: h.Length}})
	if errors.Is(err, core.ErrNotAvailable) || errors.Is(err, merkle.ErrInvalidRequest) || errors.Is(err, core.ErrConflict) {
		err = nil // Served lags behind, or there is nothing to show
	}
	if err == nil && p != nil && p.Upgrade != nil {
		w.showed(c, p.Fork, p.Upgrade.Start+p.Upgrade.Length)
	}
	s := c.on[tested].Served()
	w.showed(c, s.Fork, s.Length)
	return err
}

// reopen closes a core and opens it again.
func (w *crashWorld) reopen(c *crashCore) error {
	if err := c.on[tested].Close(); err != nil {
		return err
	}
	return w.openTested(c)
}

func (w *crashWorld) openTested(c *crashCore) (err error) {
	o := c.again()
	o.Source = c.options.Source
	c.on[tested], err = core.Open(w.ctx, w.db[tested], o)
	return err
}

// delete removes a core. It is gone with the first of several commits.
func (w *crashWorld) delete(c *crashCore) error {
	return w.step(false, crashMove{core: c, gone: true, do: func(side int) error {
		return c.on[side].Delete(w.ctx)
	}})
}

// crashRand is a source of randomness of its own for each use, so that one seed makes one run.
func crashRand(seed uint64, use uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, use)) }
