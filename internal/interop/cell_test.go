package interop

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
)

// cellDeadline is how long one cell may take.
const cellDeadline = 20 * time.Second

// cell is one run of a scenario: a writer and a reader of different makes.
type cell struct {
	t              *testing.T
	ctx            context.Context
	framing        Framing
	writer, reader Side
	readerDials    bool
	rand           *rand.Rand

	mu   sync.Mutex // guards logs
	logs []Log      // that were opened
}

func (c *cell) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// ends returns who dials, and whom.
func (c *cell) ends() (dials, listens Side) {
	if c.readerDials {
		return c.reader, c.writer
	}
	return c.writer, c.reader
}

// connect joins writer and reader until the cell ends.
func (c *cell) connect() {
	c.t.Helper()
	dials, listens := c.ends()
	join(c.ctx, c.t, c.framing, dials, listens)
}

// join connects two sides until the test ends.
func join(ctx context.Context, t *testing.T, f Framing, dials, listens Side) {
	t.Helper()
	conn, err := Connect(ctx, f, dials, listens)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConnection(t, conn.Close) })
}

func closeConnection(t *testing.T, end func(context.Context) error) {
	t.Helper()
	if err := end(context.Background()); err != nil {
		t.Error("closing a connection: ", err)
	}
}

// open opens a core on one side.
func (c *cell) open(s Side, spec Spec) Log {
	c.t.Helper()
	l, err := s.Open(c.ctx, spec)
	c.must(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logs = append(c.logs, l)
	return l
}

// explain logs what the logs tell of themselves, if the cell has failed.
func (c *cell) explain() {
	if !c.t.Failed() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.logs {
		s, err := l.State(context.Background())
		c.t.Logf("%T: %+v (%v)\n%s", l, s, err, l.Detail(context.Background()))
	}
}

// copyOf opens a writer's core at the reader.
func (c *cell) copyOf(w Log, encryption [32]byte) Log {
	c.t.Helper()
	return c.open(c.reader, Spec{Key: c.state(w).Key, Encryption: encryption})
}

func (c *cell) state(l Log) State {
	c.t.Helper()
	s, err := l.State(c.ctx)
	c.must(err)
	return s
}

// grow appends blocks that differ from all others.
func (c *cell) grow(w Log, count int) {
	c.t.Helper()
	s := c.state(w)
	c.must(w.Append(c.ctx, blocks(s.Fork, s.Length, count)...))
}

// blocks returns blocks of 0 to 200 bytes, for a place in a log.
func blocks(fork, start uint64, count int) [][]byte {
	list := make([][]byte, count)
	for i := range list {
		at := start + uint64(i)
		list[i] = bytes.Repeat(fmt.Appendf(nil, "block %d of fork %d. ", at, fork), int(at%11))
	}
	return list
}

// same fails unless the reader's log is the writer's and holds all of its blocks.
func (c *cell) same(w, r Log) {
	c.t.Helper()
	c.sameWith(w, r, core.Range{Start: 0, End: c.state(w).Length})
}

// sameWith fails unless the reader's log is the writer's, and the reader holds those blocks and no others.
func (c *cell) sameWith(w, r Log, held ...core.Range) {
	c.t.Helper()
	ws, rs := c.state(w), c.state(r)
	if ws.Fork != rs.Fork || ws.Length != rs.Length || ws.Hash != rs.Hash || ws.ByteLength != rs.ByteLength {
		c.t.Fatalf("the writer is at fork %d, length %d (%d bytes), tree %x; the reader at fork %d, length %d (%d bytes), tree %x",
			ws.Fork, ws.Length, ws.ByteLength, ws.Hash, rs.Fork, rs.Length, rs.ByteLength, rs.Hash)
	}
	if fmt.Sprint(rs.Held) != fmt.Sprint(held) {
		c.t.Errorf("the reader holds %v, want %v", rs.Held, held)
	}
	want, err := w.Stored(c.ctx, 0, ws.Length)
	c.must(err)
	got, err := r.Stored(c.ctx, 0, ws.Length)
	c.must(err)
	for _, h := range held {
		for i := h.Start; i < h.End; i++ {
			if got[i] == nil || !bytes.Equal(got[i], want[i]) {
				c.t.Fatalf("block %d is %q, want %q", i, got[i], want[i])
			}
		}
	}
}

// ranges returns the ranges that a sorted list of indexes makes.
func ranges(sorted []uint64) (list []core.Range) {
	for _, i := range sorted {
		if n := len(list); n > 0 && list[n-1].End == i {
			list[n-1].End++
		} else {
			list = append(list, core.Range{Start: i, End: i + 1})
		}
	}
	return list
}
