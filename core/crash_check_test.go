package core_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// reopened is a store after a crash.
type reopened struct {
	ctx    context.Context
	db     *datastore.DB
	cores  []*core.Core // nil where there is none
	prints []string
}

// reopenStore opens a store, and the cores of v that it holds.
func (v *crashView) reopenStore(ctx context.Context, o pebble.Options) (r *reopened, err error) {
	r = &reopened{ctx: ctx}
	if r.db, err = pebble.Open(crashDir, o); err != nil {
		return nil, err
	}
	if err = core.Sweep(ctx, r.db); err != nil {
		return r, fmt.Errorf("sweeping: %w", err)
	}
	for _, f := range v.cores {
		if len(f.events) == 0 {
			r.cores, r.prints = append(r.cores, nil), append(r.prints, absent)
			continue
		}
		c, print, err := r.openCore(f.crashCore)
		if err != nil {
			return r, fmt.Errorf("opening core %s: %w", f.key, err)
		}
		r.cores, r.prints = append(r.cores, c), append(r.prints, print)
	}
	return r, nil
}

func (r *reopened) openCore(f *crashCore) (c *core.Core, print string, err error) {
	c, err = core.Open(r.ctx, r.db, f.again())
	if errors.Is(err, core.ErrNotFound) {
		return nil, absent, nil
	}
	if err != nil {
		return nil, "", err
	}
	print, err = crashPrint(r.ctx, c)
	return c, print, err
}

func (r *reopened) close() error {
	var err error
	for _, c := range r.cores {
		if c != nil {
			err = errors.Join(err, c.Close())
		}
	}
	return errors.Join(err, r.db.Close())
}

// verify holds a core's blocks against what was appended, and the whole of it against its signature.
func (f *crashFound) verify(ctx context.Context, c *core.Core, p int) error {
	print, err := crashPrint(ctx, c)
	if err != nil {
		return err
	}
	e, ok := f.at(p, print)
	if !ok || e == nil {
		return fmt.Errorf("core %s is %s", f.key, print)
	}
	held, err := c.Held(ctx, 0, e.head.Length)
	if err != nil {
		return err
	}
	for _, r := range held {
		i := r.Start
		for b, err := range c.Blocks(ctx, r.Start, r.End) {
			if err != nil {
				return fmt.Errorf("core %s, block %d: %w", f.key, i, err)
			}
			if !bytes.Equal(b, e.blocks[i]) {
				return fmt.Errorf("core %s, block %d is %x, not %x", f.key, i, b, e.blocks[i])
			}
			i++
		}
	}
	rep, err := c.Verify(ctx)
	if err == nil && !rep.OK() {
		err = fmt.Errorf("core %s does not verify: %+v", f.key, rep)
	}
	return err
}

// orphans looks for what deleted cores, and cores that never came to be, have left behind.
func (v *crashView) orphans(r *reopened, p int) error {
	there := 0
	for i, f := range v.cores {
		if r.cores[i] != nil {
			there++
			continue
		}
		deleted := slices.ContainsFunc(f.events, func(e crashEvent) bool { return e.print == absent && 2*e.step <= p })
		if !deleted || !f.secret {
			continue
		}
		if _, err := r.db.Secrets().Load("core-" + f.key.Discovery().Hex()); !errors.Is(err, datastore.ErrNotFound) {
			return fmt.Errorf("the secret of the deleted core %s is still there: %w", f.key, err)
		}
	}
	numbers := 0
	err := r.db.View(r.ctx, func(tx *datastore.Tx) error {
		for id := uint64(1); id <= uint64(len(v.cores)); id++ {
			data := datastore.Group('d').Uint(id).Item()
			some := false
			for _, err := range tx.Scan(data, data.End(), false) {
				if some = true; err != nil {
					return err
				}
				break
			}
			for _, err := range tx.Blocks(data, data.End()) {
				if some = true; err != nil {
					return err
				}
				break
			}
			if some {
				numbers++
			}
		}
		return nil
	})
	if err == nil && numbers > there {
		err = fmt.Errorf("%d cores have data, %d are there", numbers, there)
	}
	return err
}

// crashWatch is told how far a check has come.
type crashWatch struct {
	opened   func(first int) // the store is open; the first position that it can be in
	changing func()          // what was found was looked at, and is changed from now on
}

// check opens a store after a crash and holds it against what may be found.
func (v *crashView) check(o pebble.Options, watch *crashWatch, seed uint64) (err error) {
	ctx := context.Background()
	r, err := v.reopenStore(ctx, o)
	if err != nil {
		if r != nil {
			err = errors.Join(err, r.close())
		}
		return fmt.Errorf("reopening: %w", err)
	}
	if err := v.look(r, watch); err != nil {
		return errors.Join(err, r.close())
	}
	if err := v.goOn(r, o, seed); err != nil {
		return fmt.Errorf("going on: %w", err)
	}
	return nil
}

// look holds what there is against what may be there.
func (v *crashView) look(r *reopened, watch *crashWatch) error {
	first, last, err := v.position(r.prints)
	if err != nil {
		return err
	}
	if watch != nil {
		watch.opened(first)
	}
	for i, c := range r.cores {
		if c == nil {
			continue
		}
		if err := v.cores[i].verify(r.ctx, c, last); err != nil {
			return err
		}
	}
	if err := v.orphans(r, first); err != nil {
		return err
	}
	if watch != nil {
		watch.changing()
	}
	return nil
}

// twiceShare is how many points there are to one where the store is opened a second time.
const twiceShare = 4

// goOn appends to a core, closes the store, opens it once more now and then, and finds all as it was.
func (v *crashView) goOn(r *reopened, o pebble.Options, seed uint64) error {
	i, err := r.appendSome(seed)
	if err != nil {
		return errors.Join(err, r.close())
	}
	before := slices.Clone(r.prints)
	if i >= 0 {
		if before[i], err = crashPrint(r.ctx, r.cores[i]); err != nil {
			return errors.Join(err, r.close())
		}
	}
	if err := r.close(); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	if seed%twiceShare != 0 {
		return nil
	}
	again, err := v.reopenStore(r.ctx, o)
	if err != nil {
		return fmt.Errorf("reopening once more: %w", err)
	}
	if !slices.Equal(again.prints, before) {
		err = fmt.Errorf("reopened once more it has\n\t%q\nand had\n\t%q", again.prints, before)
	} else if i >= 0 {
		err = again.appended(i, seed)
	}
	return errors.Join(err, again.close())
}

func (r *reopened) block(seed uint64) []byte { return fmt.Appendf(nil, "%0100d", seed) }

// appendSome appends to one of the cores that can be written, and returns which, or -1 when there is none.
func (r *reopened) appendSome(seed uint64) (int, error) {
	for n := range r.cores {
		i := (int(seed%64) + n) % len(r.cores)
		c := r.cores[i]
		if c == nil || !c.Writable() {
			continue
		}
		at := c.Head().Length
		first, err := c.Append(r.ctx, r.block(seed), nil)
		if err == nil && first != at {
			err = fmt.Errorf("appended at %d, not at %d", first, at)
		}
		return i, err
	}
	return -1, nil
}

func (r *reopened) appended(i int, seed uint64) error {
	at := r.cores[i].Head().Length - 2
	b, err := r.cores[i].Get(r.ctx, at)
	if err == nil && !bytes.Equal(b, r.block(seed)) {
		err = fmt.Errorf("block %d is %x", at, b)
	}
	return err
}
