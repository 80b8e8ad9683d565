package core_test

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

// crashGate stands between one opening of a store and the disk. Once it is shut nothing gets through any more, as if the
// process were dead.
type crashGate struct {
	shut  atomic.Bool
	after atomic.Int64              // shut after so many changes more, if above 0
	fault func(op crashfs.Op) error // may break a change; may be nil
}

// maxLastSteps is how many steps a process may take once it is to die.
const maxLastSteps = 20

var errDead = errors.New("the process is dead")

func (g *crashGate) pass(op crashfs.Op, d *crashDisk) error {
	if g.shut.Load() {
		return errDead
	}
	if err := d.hook(op); err != nil {
		return err
	}
	if g.after.Load() > 0 && g.after.Add(-1) == 0 {
		g.shut.Store(true)
	}
	if g.shut.Load() {
		return errDead
	}
	if g.fault != nil {
		return g.fault(op)
	}
	return nil
}

// openStore opens the store under test.
func (w *crashWorld) openStore() (err error) {
	g := &crashGate{}
	if w.gate != nil {
		g.fault = w.gate.fault
	}
	w.gate = g
	o := w.disk.options(w.disk.mem)
	disk := crashfs.Wrap(w.disk.mem, func(op crashfs.Op) error { return g.pass(op, w.disk) })
	if o.FS = disk; w.disk.run.blind != nil {
		o.FS = disk.WithoutSync(w.disk.run.blind)
	}
	w.db[tested], err = pebble.Open(crashDir, o)
	return err
}

// openCores opens the cores that are there.
func (w *crashWorld) openCores() error {
	for _, c := range w.live() {
		if err := w.openTested(c); err != nil {
			return err
		}
	}
	return nil
}

// restart closes the store and opens it again.
func (w *crashWorld) restart() error {
	if err := w.db[tested].Close(); err != nil {
		return err
	}
	w.settled()
	if err := w.openStore(); err != nil {
		return err
	}
	return w.openCores()
}

// kill lets the process die in the midst of a step, without a power loss: what was written stays, synced or not. The next
// process opens the store, and what it shows of it must outlive a power loss.
func (w *crashWorld) kill() error {
	var failed *stepError
	var err error
	w.gate.after.Store(1 + w.rng.Int64N(40))
	for range maxLastSteps { // those that change nothing bring death no nearer
		live := w.live()
		if err != nil || len(live) == 0 || w.gate.shut.Load() {
			break
		}
		err = w.lastStep(live[w.rng.IntN(len(live))])
	}
	if err != nil && !errors.As(err, &failed) {
		return fmt.Errorf("a step before death: %w", err)
	}
	w.gate.shut.Store(true)
	_ = w.db[tested].Close() // of a dead process nobody hears
	return w.revive(failed)
}

// lastStep is one that a process may die in.
func (w *crashWorld) lastStep(c *crashCore) error {
	switch n := w.rng.IntN(8); {
	case c.remote && n < 4:
		return w.reorg(c)
	case c.remote:
		return w.upgrade(c)
	case n == 0:
		return w.delete(c)
	case n == 1:
		return w.truncate(c)
	case n == 2:
		return w.create()
	case n == 3:
		return w.setUser(c)
	}
	return w.step(false, w.append(c, 1+w.rng.IntN(6)))
}

// revive opens the store after the death of a process, and takes the step that may have failed by that.
func (w *crashWorld) revive(failed *stepError) error {
	v := w.view(true)()
	if err := w.openStore(); err != nil {
		return fmt.Errorf("reopening after death: %w", err)
	}
	if err := core.Sweep(w.ctx, w.db[tested]); err != nil {
		return err
	}
	r := &reopened{ctx: w.ctx, db: w.db[tested]}
	for _, f := range v.cores {
		c, print, err := r.openCore(f.crashCore)
		if err != nil {
			return fmt.Errorf("core %s after death: %w", f.key, err)
		}
		f.on[tested] = c
		r.cores, r.prints = append(r.cores, c), append(r.prints, print)
	}
	first, _, err := v.position(r.prints)
	if err != nil {
		return fmt.Errorf("after death: %w", err)
	}
	w.mu.Lock()
	w.durable = max(w.durable, first/2)
	w.mu.Unlock()
	if failed == nil {
		return nil
	}
	return w.again(failed)
}

// again takes a step that failed, for those of its cores that did not get there.
func (w *crashWorld) again(failed *stepError) error {
	for _, m := range failed.moves {
		now := absent
		if c := m.core.on[tested]; c != nil {
			print, err := crashPrint(w.ctx, c)
			if err == nil {
				now = print
			} else if !errors.Is(err, core.ErrDeleted) {
				return err
			}
		}
		if now == m.core.events[len(m.core.events)-1].print {
			continue
		}
		if err := m.do(tested); err != nil {
			return fmt.Errorf("taking the step again: %w", err)
		}
	}
	return w.finish(failed.lazy, failed.moves)
}
