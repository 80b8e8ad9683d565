package core_test

import (
	"encoding/binary"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

// content makes n blocks of all sizes that matter. No two that could be told apart are the same.
func (w *crashWorld) content(n int) [][]byte {
	blocks := make([][]byte, n)
	for i := range blocks {
		size := 0
		switch k := w.rng.IntN(10); {
		case k == 0:
			continue // an empty one
		case k < 5:
			size = w.rng.IntN(60)
		case k < 9:
			size = 60 + w.rng.IntN(340)
		default:
			size = 400 + w.rng.IntN(2600)
		}
		w.serial++
		b := binary.BigEndian.AppendUint64(make([]byte, 0, 8+size), w.serial)
		for len(b) < 8+size {
			b = append(b, byte(w.rng.Uint32()))
		}
		blocks[i] = b
	}
	return blocks
}

func (w *crashWorld) seed32() (s [32]byte) {
	for i := range s {
		s[i] = byte(w.rng.Uint32())
	}
	return s
}

// create makes a new core: one with its seed among the secrets, one whose pair is derived, an encrypted one, or one that
// is only read here.
func (w *crashWorld) create() error {
	pair := keys.PairFromSeed(w.seed32())
	c := &crashCore{pair: pair, options: core.Options{Pair: pair}}
	kind := w.rng.IntN(5)
	switch kind {
	case 0, 1:
		c.secret = true
	case 2:
		c.options.Derived = true
	case 3:
		c.options.Derived = true
		c.options.Encryption = core.Encryption{Key: w.seed32()}
	case 4:
		origin, err := core.Open(w.ctx, w.outside, core.Options{Pair: pair, Derived: true})
		if err != nil {
			return err
		}
		c.origin, c.remote = origin, true
		c.options = core.Options{Key: origin.Key()}
	}
	if w.rng.IntN(2) == 0 {
		c.options.Source = crashSource{w, c}
	}
	w.mu.Lock()
	w.cores = append(w.cores, c)
	w.mu.Unlock()
	lazy := !c.secret
	return w.step(lazy, crashMove{core: c, do: func(side int) (err error) {
		o := c.options
		if side == shadow {
			o.Source = nil
		}
		if c.on[side], err = core.Open(w.ctx, w.db[side], o); err == nil {
			c.key = c.on[side].Key()
		}
		return err
	}})
}

// again are the options that open a core which is there.
func (c *crashCore) again() core.Options {
	o := c.options
	o.MustExist, o.Source = true, nil
	if c.secret {
		o.Pair, o.Key = keys.Pair{}, c.key
	}
	return o
}
