package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
)

// coreTask is a core that is replicated.
type coreTask struct {
	Name  string
	Count uint64 // blocks
	Size  int    // of a block, in bytes
	Key   keys.Key
}

// hello is what a process that serves says first.
type hello struct {
	Port int
	Keys []keys.Key
}

// What a process that serves does for a line on stdin. It answers with a line, figures.
const (
	orderCPU  = "cpu"  // the CPU seconds so far
	orderTail = "tail" // append blocks now and then
)

// build makes the task's cores in a new store.
func build(ctx context.Context, t *task) (figures, error) {
	s, err := openStore(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, b := range t.Cores {
		err = errors.Join(err, t.buildCore(ctx, s, b))
	}
	return figures{}, errors.Join(err, s.Close())
}

func (t *task) buildCore(ctx context.Context, s *store, b coreTask) error {
	c, err := s.Open(ctx, corestore.Name(b.Name))
	if err != nil {
		return err
	}
	defer c.Close()
	group := make([][]byte, max(1, min(2000, (4<<20)/b.Size)))
	for i := uint64(0); i < b.Count; {
		n := min(uint64(len(group)), b.Count-i)
		for k := range group[:n] {
			group[k] = t.pool.block(group[k], i+uint64(k), b.Size)
		}
		if _, err := c.Append(ctx, group[:n]...); err != nil {
			return err
		}
		i += n
	}
	return nil
}

// serveCores serves a store until stdin ends.
func serveCores(ctx context.Context, t *task) (figures, error) {
	return figures{}, withPeer(ctx, t, func(ctx context.Context, p *peer) error {
		var cores []*core.Core
		h := hello{}
		for _, b := range t.Cores {
			c, err := p.Open(ctx, corestore.Name(b.Name))
			if err != nil {
				return err
			}
			cores, h.Keys = append(cores, c), append(h.Keys, c.Key())
		}
		var err error
		if h.Port, err = p.listen(ctx); err != nil {
			return err
		}
		return obey(h, func(order string) (figures, error) {
			switch order {
			case orderCPU:
				return figures{"cpu": cpuSeconds()}, nil
			case orderTail:
				return figures{"cpu": cpuSeconds()}, t.tail(ctx, cores[0])
			}
			return nil, fmt.Errorf("no order %q", order)
		})
	})
}

// obey writes hello and then does what each line of stdin says, until that ends.
func obey(h hello, do func(order string) (figures, error)) error {
	if err := say(h); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		f, err := do(lines.Text())
		if err != nil {
			return err
		}
		if err := say(f); err != nil {
			return err
		}
	}
	return lines.Err()
}

// tailEvery is how long is waited between the appends whose way to a reader is measured.
const tailEvery = 20 * time.Millisecond

// tail appends blocks that carry the time of their append.
func (t *task) tail(ctx context.Context, c *core.Core) error {
	return t.everyTick(func(now time.Time) error {
		b := binary.LittleEndian.AppendUint64(make([]byte, 0, tailSize), uint64(now.UnixNano()))
		_, err := c.Append(ctx, b[:tailSize])
		return err
	})
}

// everyTick calls do so many times as are to be measured.
func (t *task) everyTick(do func(now time.Time) error) error {
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	for range t.Gets {
		if err := do(time.Now()); err != nil {
			return err
		}
		<-tick.C
	}
	return nil
}
