package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

// log is a core with a model of what it holds.
type log struct {
	core *core.Core
	spec coreSpec
	rng  *rand.Rand
	made uint64 // blocks ever made, so that no two are alike

	mu     sync.Mutex // guards what follows
	blocks [][]byte
	final  bool // nothing changes any more
}

func newLog(ctx context.Context, store *corestore.Store, i int, spec coreSpec, seed uint64) (*log, error) {
	c, err := store.Open(ctx, corestore.Name(fmt.Sprint("core ", i)))
	if err != nil {
		return nil, err
	}
	l := &log{core: c, spec: spec, rng: rand.New(rand.NewPCG(seed, uint64(2+i)))}
	if err := l.append(ctx, spec.blocks); err != nil {
		return nil, err
	}
	return l, c.Clear(ctx, spec.cleared.Start, spec.cleared.End)
}

func (l *log) append(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	var blocks [][]byte
	for range n {
		b := make([]byte, 16+l.rng.IntN(2*l.spec.size))
		binary.BigEndian.PutUint64(b, l.rng.Uint64())
		l.made++
		binary.BigEndian.PutUint64(b[8:], l.made)
		blocks = append(blocks, b)
	}
	l.mu.Lock()
	l.blocks = append(l.blocks, blocks...)
	l.mu.Unlock()
	_, err := l.core.Append(ctx, blocks...)
	return err
}

// truncate cuts a part off, and appends something else. What was cleared stays.
func (l *log) truncate(ctx context.Context, part float64) error {
	length := l.core.Head().Length
	low := l.spec.cleared.End
	to := low + uint64(part*float64(length-low))
	err := l.core.Truncate(ctx, to)
	if errors.Is(err, core.ErrNotAvailable) {
		return nil // the tree of that length was cleared
	} else if err != nil {
		return err
	}
	l.mu.Lock()
	l.blocks = l.blocks[:to:to]
	l.mu.Unlock()
	return l.append(ctx, 1+l.rng.IntN(20))
}

func (l *log) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.final = true
}

// state returns the blocks of the log, and whether they are final.
func (l *log) state() ([][]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blocks, l.final
}
