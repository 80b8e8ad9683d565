package evilpeer

import (
	"context"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols/replicate"
)

const defaultSequences = 1000

// scripted is a stream whose other side is a script. It lives in a bubble.
type scripted struct {
	script *Script
	left   int // frames
	hash   [64]byte
	once   sync.Once
	closed chan struct{}
	wrote  *atomic.Int64 // frames
}

// ReadMessage implements [mux.Conn]. It gives the session time in between, now and then until all is quiet, and
// sometimes until something is late. After the last frame the stream ends in order.
func (c *scripted) ReadMessage() ([]byte, error) {
	c.left--
	switch n := c.script.rng.IntN(40); {
	case n == 0 || c.left < 0 && n < 4:
		time.Sleep(time.Second)
	case n < 10 || c.left < 0:
		synctest.Wait()
	}
	select {
	case <-c.closed:
		return nil, io.ErrClosedPipe
	default:
	}
	if c.left < 0 {
		return nil, io.EOF
	}
	return c.script.Frame(), nil
}

func (c *scripted) WriteMessages(frames ...[]byte) error {
	c.wrote.Add(int64(len(frames)))
	return nil
}
func (c *scripted) HandshakeHash() [64]byte { return c.hash }
func (c *scripted) Initiator() bool         { return false }
func (c *scripted) RemoteKey() []byte       { return []byte("evil") }
func (c *scripted) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// sequences returns how many to try.
func sequences(t *testing.T) uint64 {
	t.Helper()
	text, ok := os.LookupEnv("HYPERNODE_SEQUENCES")
	if !ok {
		return defaultSequences
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A session survives all sequences of messages, keeps what it has, and does not grow.
func TestSequences(t *testing.T) {
	n := sequences(t)
	synctest.Test(t, func(t *testing.T) {
		set := replicate.New(replicate.Options{})
		store := memoryStore(t, set)
		written, read, proofs := subjects(t, store)
		cores := []keys.Key{written.Key(), read.Key(), {9}}
		defer wanting(t, read)()
		var wrote atomic.Int64
		var settled int64
		for seed := range n {
			hash := [64]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)}
			conn := &scripted{script: NewScript(seed, hash, cores, proofs), left: 60, hash: hash, closed: make(chan struct{}), wrote: &wrote}
			play(t, set, conn, store.Find, seed)
			if seed%8 == 0 {
				clearAll(t, read)
			}
			if seed == n/10 {
				settled = live()
			}
		}
		if grown := live() - settled; grown > 8<<20 {
			t.Errorf("%d bytes more after %d sequences", grown, n)
		}
		if left := set.Streams(); left > 0 {
			t.Errorf("%d streams are left", left)
		}
		if wrote.Load() < int64(n) {
			t.Errorf("%d frames came back from %d sequences: the session does not live", wrote.Load(), n)
		}
		intact(t, written)
		t.Logf("%d sequences, %d frames came back", n, wrote.Load())
	})
}

// play lets a session hear a sequence to its end.
func play(t *testing.T, set *replicate.Set, conn *scripted, find replicate.Find, seed uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	set.Serve(ctx, conn, find)
	if ctx.Err() != nil {
		t.Fatalf("sequence %d did not end", seed)
	}
}

// wanting wants all of a core until the function that it returns is called.
func wanting(t *testing.T, c *core.Core) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		for ctx.Err() == nil {
			c.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: 31}}}) // one more than there are
		}
	})
	return func() { cancel(); work.Wait() }
}

func clearAll(t *testing.T, c *core.Core) {
	t.Helper()
	if err := c.Clear(t.Context(), 0, c.Head().Length); err != nil {
		t.Fatal(err)
	}
}

func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func intact(t *testing.T, c *core.Core) {
	t.Helper()
	if r, err := c.Verify(t.Context()); err != nil || !r.OK() {
		t.Errorf("the core is not what it was: %+v, %v", r, err)
	}
}

func memoryStore(t *testing.T, source core.Source) *corestore.Store {
	t.Helper()
	db := datastore.NewMemory(datastore.Options{})
	primary, err := keys.NewPrimaryKey()
	if err != nil {
		t.Fatal(err)
	}
	store, err := corestore.Open(t.Context(), db, corestore.Options{Source: source, PrimaryKey: primary})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		store.Close()
		db.Close()
	})
	return store
}

// subjects returns a core that is written in a store, one that is read there, and proofs of both.
func subjects(t *testing.T, store *corestore.Store) (written, read *core.Core, proofs []*merkle.Proof) {
	t.Helper()
	other, err := memoryStore(t, nil).Open(t.Context(), corestore.Name("other"))
	if err == nil {
		_, err = other.Append(t.Context(), someBlocks(30, 64)...)
	}
	if err == nil {
		written, err = store.Open(t.Context(), corestore.Name("written"))
	}
	if err == nil {
		_, err = written.Append(t.Context(), someBlocks(30, 64)...)
	}
	if err == nil {
		read, err = store.Open(t.Context(), corestore.Key(other.Key()))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*core.Core{other, written} {
		proofs = append(proofs, someProofs(t.Context(), t, c)...)
	}
	return written, read, proofs
}

func someProofs(ctx context.Context, t *testing.T, c *core.Core) (list []*merkle.Proof) {
	t.Helper()
	length := c.Head().Length
	for i := range length {
		for _, q := range []*merkle.Request{
			{Block: &merkle.BlockRequest{Index: i, Nodes: i % 2}},
			{Upgrade: &merkle.UpgradeRequest{Start: i, Length: length - i}, Manifest: i == 0},
			{Upgrade: &merkle.UpgradeRequest{Length: length}, Block: &merkle.BlockRequest{Index: i}, Manifest: true},
		} {
			p, err := c.Prove(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
		}
	}
	return list
}
