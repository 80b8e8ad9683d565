package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// historian writes a log that is cut again and again, and remembers what each fork held.
type historian struct {
	core *Core
	mu   sync.Mutex
	fork map[uint64][][]byte
}

// run writes some rounds, and goes on until enough was read.
func (h *historian) run(t *testing.T, rounds int, seen *seenBlocks) {
	rng := seeded(t, 11)
	var now [][]byte
	for fork := uint64(0); fork < uint64(rounds) || seen.count() < 100 && !t.Failed(); fork++ {
		for range 1 + rng.IntN(3) {
			b := fmt.Appendf(nil, "block %d of fork %d", len(now), fork)
			if _, err := h.core.Append(context.Background(), b); err != nil {
				t.Error(err)
				return
			}
			now = append(now, b)
		}
		h.mu.Lock()
		h.fork[fork] = append([][]byte(nil), now...)
		h.mu.Unlock()
		to := rng.IntN(len(now) + 1)
		if err := h.core.Truncate(context.Background(), uint64(to)); err != nil {
			t.Error(err)
			return
		}
		now = now[:to:to]
	}
}

// TestReadersRaceWithTruncate reads in all ways while the log is cut: what is read is of one history.
func TestReadersRaceWithTruncate(t *testing.T) {
	for name, db := range map[string]*datastore.DB{"memory": memoryDB(t, datastore.Options{}), "pebble": smallPebble(t, datastore.Options{})} {
		t.Run(name, func(t *testing.T) {
			h := &historian{core: openCore(t, db, Options{Pair: pairOf(1), Derived: true}), fork: map[uint64][][]byte{}}
			ctx, cancel := context.WithCancel(t.Context())
			var readers sync.WaitGroup
			var seen seenBlocks
			for _, read := range []func(context.Context, *Core) error{seen.snapshot, seen.iterate, seen.stream, proveAll, offsets, holds} {
				readers.Go(func() {
					for ctx.Err() == nil {
						if err := read(context.Background(), h.core); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			h.run(t, runs("HYPERNODE_MODEL_RUNS", 60), &seen)
			cancel()
			readers.Wait()
			seen.check(t, h)
			mustVerify(t, h.core)
			if err := h.core.Close(); err != nil {
				t.Fatal(err)
			}
			if name == "pebble" {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// seenBlocks are what readers were given, to be compared when the history is known.
type seenBlocks struct {
	mu      sync.Mutex
	list    []seenBlock
	streams []seenStream
}

// seenStream is bytes that were read from an offset on.
type seenStream struct {
	offset uint64
	bytes  []byte
}

type seenBlock struct {
	fork, index uint64
	block       []byte
}

func (s *seenBlocks) add(fork, index uint64, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, seenBlock{fork, index, b})
}

func (s *seenBlocks) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list)
}

func (s *seenBlocks) check(t *testing.T, h *historian) {
	t.Helper()
	for _, b := range s.list {
		if all, ok := h.fork[b.fork]; ok && !bytes.Equal(all[b.index], b.block) {
			t.Fatalf("block %d of fork %d was read as %q, it is %q", b.index, b.fork, b.block, all[b.index])
		}
	}
	logs := make([][]byte, 0, len(h.fork))
	for _, all := range h.fork {
		logs = append(logs, bytes.Join(all, nil))
	}
	for _, x := range s.streams {
		if !slices.ContainsFunc(logs, func(l []byte) bool { return x.offset <= uint64(len(l)) && bytes.HasPrefix(l[x.offset:], x.bytes) }) {
			t.Fatalf("no fork has, from byte %d on, %q", x.offset, x.bytes)
		}
	}
}

func (s *seenBlocks) snapshot(ctx context.Context, c *Core) error {
	x, err := c.Snapshot()
	if err != nil {
		return err
	}
	defer x.Close()
	head := x.Head()
	for i := range head.Length {
		b, err := x.Get(ctx, i)
		if errors.Is(err, ErrTruncated) {
			return nil
		}
		if err != nil {
			return err
		}
		s.add(head.Fork, i, b)
	}
	i := uint64(0)
	for b, err := range x.Blocks(ctx, 0, head.Length) {
		if errors.Is(err, ErrTruncated) {
			return nil
		}
		if err != nil {
			return err
		}
		s.add(head.Fork, i, b)
		i++
	}
	return nil
}

// iterate reads on the live log: each block names its place, and forks never go down.
func (s *seenBlocks) iterate(ctx context.Context, c *Core) error {
	i, last := uint64(0), uint64(0)
	for b, err := range c.Blocks(ctx, 0, c.Head().Length) {
		if errors.Is(err, ErrTruncated) || errors.Is(err, ErrOutOfRange) || errors.Is(err, ErrNotAvailable) {
			return nil
		}
		if err != nil {
			return err
		}
		var at, fork uint64
		if _, err := fmt.Sscanf(string(b), "block %d of fork %d", &at, &fork); err != nil || at != i || fork < last {
			return fmt.Errorf("block %d reads %q, after fork %d", i, b, last)
		}
		i, last = i+1, fork
	}
	return nil
}

// stream reads bytes of the live log from somewhere in it.
func (s *seenBlocks) stream(ctx context.Context, c *Core) error {
	head := c.Head()
	x := seenStream{offset: head.ByteLength / 3}
	for b, err := range c.Bytes(ctx, x.offset, x.offset) {
		if errors.Is(err, ErrTruncated) || errors.Is(err, ErrOutOfRange) {
			break
		}
		if errors.Is(err, io.ErrUnexpectedEOF) && c.Head().Fork > head.Fork {
			break // it was cut before the reading began: within a fork it only grows
		}
		if err != nil {
			return err
		}
		x.bytes = append(x.bytes, b...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams = append(s.streams, x)
	return nil
}

// holds wants a snapshot to hold all of what it shows, or to be cut.
func holds(ctx context.Context, c *Core) error {
	x, err := c.Snapshot()
	if err != nil {
		return err
	}
	defer x.Close()
	ok, err := x.Has(ctx, 0, x.Head().Length)
	if err == nil && !ok {
		return fmt.Errorf("%v lacks blocks", x.Head())
	}
	if err == nil {
		_, err = x.Held(ctx, 0, x.Head().Length)
	}
	if errors.Is(err, ErrTruncated) {
		return nil
	}
	return err
}

// proveAll wants each proof to hold.
func proveAll(ctx context.Context, c *Core) error {
	h := c.Served()
	if h.Length == 0 {
		return nil
	}
	q := &merkle.Request{ID: 1, Fork: h.Fork, Upgrade: &merkle.UpgradeRequest{Length: h.Length}, Block: &merkle.BlockRequest{Index: h.Length - 1}}
	p, err := c.Prove(ctx, q)
	if errors.Is(err, ErrNotAvailable) || errors.Is(err, merkle.ErrInvalidRequest) {
		return nil // the log was cut
	}
	if err != nil {
		return err
	}
	_, err = merkle.CheckRemote(c.authority(), p)
	return err
}

// offsets wants seeks and offsets to agree with the head that they were asked at.
func offsets(ctx context.Context, c *Core) error {
	x, err := c.Snapshot()
	if err != nil {
		return err
	}
	defer x.Close()
	h := x.Head()
	at, err := x.Offset(ctx, h.Length/2)
	if err == nil {
		var block, within uint64
		if block, within, err = x.Seek(ctx, at); err == nil && (block != h.Length/2 || within != 0) {
			return fmt.Errorf("%v: byte %d is %d of block %d, not of %d", h, at, within, block, h.Length/2)
		}
	}
	if errors.Is(err, ErrTruncated) {
		return nil
	}
	return err
}
