package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	defaultSeeds = 200
	shortSeeds   = 20

	// patience is how long readers may take after the last event.
	patience = 5 * time.Minute

	// maxTwice is the greatest part of the blocks that may come twice, over all seeds.
	maxTwice = 0.02
)

// number returns the number in an environment variable.
func number(t *testing.T, name string) (n uint64, ok bool) {
	t.Helper()
	text, ok := os.LookupEnv(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n, true
}

// Every reader of every scenario gets what it wants, and hardly anything twice.
func TestSeeds(t *testing.T) {
	if seed, ok := number(t, "HYPERNODE_SIM_SEED"); ok {
		total, twice := simulate(t, seed, true)
		t.Logf("%d of %d blocks came twice", twice, total)
		return
	}
	seeds, ok := number(t, "HYPERNODE_SIM_SEEDS")
	switch {
	case ok:
	case testing.Short():
		seeds = shortSeeds
	default:
		seeds = defaultSeeds
	}
	var total, twice, next atomic.Int64
	var work sync.WaitGroup
	for range 2 {
		work.Go(func() {
			for seed := next.Add(1); seed <= int64(seeds); seed = next.Add(1) {
				t.Run(strconv.FormatInt(seed, 10), func(t *testing.T) {
					n, again := simulate(t, uint64(seed), false)
					total.Add(int64(n))
					twice.Add(int64(again))
					if float64(again) > 2*maxTwice*float64(n) {
						t.Logf("%d of %d blocks came twice", again, n)
					}
				})
			}
		})
	}
	work.Wait()
	t.Logf("%d seeds: %d of %d blocks came twice", seeds, twice.Load(), total.Load())
	if n := total.Load(); n == 0 || float64(twice.Load()) > maxTwice*float64(n) {
		t.Errorf("%d of %d blocks came twice", twice.Load(), n)
	}
}

// simulate runs the scenario of a seed, and returns how many blocks came, and came again.
func simulate(t *testing.T, seed uint64, tell bool) (total, twice int) {
	s := generate(seed)
	if tell {
		s.tell(t)
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		w, err := build(ctx, t, s)
		if err == nil {
			err = w.run(ctx)
		}
		if err != nil {
			t.Errorf("%v\nto see it again: HYPERNODE_SIM_SEED=%d go test -run TestSeeds ./internal/sim", err, seed)
			s.tell(t)
		}
		for _, n := range w.nodes {
			total += n.meter.total
			twice += n.meter.twice
		}
		if tell {
			t.Logf("took %v", time.Since(start))
		}
	})
	return total, twice
}

func (s *scenario) tell(t *testing.T) {
	t.Logf("sparse %v", s.sparse)
	for _, c := range s.cores {
		t.Logf("core %+v", c)
	}
	for _, l := range s.links {
		t.Logf("link %+v", l)
	}
	for _, e := range s.events {
		t.Logf("event %v", e)
	}
}

// run lets all happen, and returns when all readers are done.
func (w *world) run(ctx context.Context) error {
	over, stop := context.WithCancel(ctx)
	var cables sync.WaitGroup
	for _, c := range w.cables {
		cables.Go(func() { c.run(over) })
	}
	err := w.read(ctx)
	stop()
	cables.Wait()
	for i, n := range w.nodes {
		if e := n.close(); e != nil {
			err = errors.Join(err, fmt.Errorf("closing node %d: %w", i, e))
		}
	}
	return err
}

// read lets the events happen while all readers read.
func (w *world) read(ctx context.Context) error {
	var readers []*reader
	for node := range w.nodes {
		for i, l := range w.logs {
			if l.spec.writer == node {
				continue
			}
			readers = append(readers, w.newReader(node, i))
		}
	}
	errs := make([]error, len(readers)+1)
	var work sync.WaitGroup
	for i, r := range readers {
		work.Go(func() { errs[i] = r.follow(ctx) })
	}
	errs[len(readers)] = w.play(ctx)
	for _, l := range w.logs {
		l.finish()
	}
	work.Wait()
	return errors.Join(errs...)
}
