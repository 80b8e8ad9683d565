package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// fakeSource serves readers from a writer in the same process.
type fakeSource struct {
	writer *Core
	// hold, when set, is waited for before each answer.
	hold func(ctx context.Context) error
	// lies is how many of 10 answers are preceded by one that is wrong.
	lies int

	mu      sync.Mutex
	rand    *rand.Rand
	asked   map[uint64]int // fetches by block
	applied int
	changes []Change
	closed  int
}

func newFakeSource(writer *Core, seed uint64) *fakeSource {
	return &fakeSource{writer: writer, rand: rand.New(rand.NewPCG(seed, 2)), asked: map[uint64]int{}}
}

// Attach implements Source.
func (s *fakeSource) Attach(c *Core) Session { return &fakeSession{s, c} }

type fakeSession struct {
	*fakeSource
	reader *Core
}

// Changed implements Session.
func (s *fakeSession) Changed(ch Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, ch)
}

// Close implements Session.
func (s *fakeSession) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

var errNoPeer = errors.New("no peer has it")

// Fetch implements Session.
func (s *fakeSession) Fetch(ctx context.Context, w Want) error {
	if s.hold != nil {
		if err := s.hold(ctx); err != nil {
			return err
		}
	}
	if w.Head {
		if err := s.head(ctx); err != nil {
			return err
		}
	}
	for _, r := range w.Ranges {
		for i := r.Start; i < r.End || r.End == 0 && i < s.writer.Head().Length; i++ {
			w.Blocks = append(w.Blocks, i)
		}
	}
	for _, i := range w.Blocks {
		if err := s.block(ctx, i); err != nil {
			return err
		}
	}
	if w.Seek != nil {
		return s.seek(ctx, w.Seek)
	}
	return nil
}

// head brings the reader to the writer's head, whatever its fork.
func (s *fakeSession) head(ctx context.Context) error {
	have, want := s.reader.Head(), s.writer.Head()
	switch {
	case want.Length == 0: // has no proof
		return nil
	case have.Fork < want.Fork:
		q := forkRequest(want)
		for q != nil {
			v, err := s.ask(ctx, q)
			if err != nil {
				return err
			}
			q = v.Next
		}
		return nil
	case have.Fork > want.Fork || have.Length >= want.Length:
		return nil
	}
	_, err := s.ask(ctx, &merkle.Request{ID: 1, Fork: want.Fork, Manifest: true,
		Upgrade: &merkle.UpgradeRequest{Start: have.Length, Length: want.Length - have.Length}})
	return err
}

func (s *fakeSession) block(ctx context.Context, i uint64) error {
	s.mu.Lock()
	s.asked[i]++
	s.mu.Unlock()
	if i >= s.reader.Head().Length {
		if err := s.head(ctx); err != nil {
			return err
		}
	}
	n, err := s.reader.MissingNodes(ctx, i)
	if err != nil {
		return err
	}
	_, err = s.ask(ctx, &merkle.Request{ID: 1, Fork: s.reader.Head().Fork, Block: &merkle.BlockRequest{Index: i, Nodes: n}})
	return err
}

// seek asks for the path to a position, together with that of a leaf nearby: a seek alone has no answer.
func (s *fakeSession) seek(ctx context.Context, w *SeekWant) error {
	at, _, err := s.writer.Seek(ctx, w.Bytes)
	if err != nil {
		return err
	}
	leaf := at ^ 1 // its path has the position's as its sibling
	if leaf >= s.reader.Head().Length {
		leaf = at
	}
	n, err := s.reader.MissingNodes(ctx, leaf)
	if err != nil {
		return err
	}
	q := &merkle.Request{ID: 1, Fork: s.reader.Head().Fork, Hash: &merkle.HashRequest{Index: 2 * leaf, Nodes: n}}
	if n > 0 {
		q.Seek = &merkle.SeekRequest{Bytes: w.Bytes, Padding: w.Padding}
	}
	_, err = s.ask(ctx, q)
	return err
}

// ask gives the writer's answer to the reader, now and then after a wrong one.
func (s *fakeSession) ask(ctx context.Context, q *merkle.Request) (Verdict, error) {
	p, err := s.writer.Prove(ctx, q)
	if err != nil {
		return Verdict{}, fmt.Errorf("%w: %w", errNoPeer, err)
	}
	data := merkle.AppendProof(nil, p)
	s.mu.Lock()
	lie := s.rand.IntN(10) < s.lies
	at := 3 + s.rand.IntN(len(data)-3)
	s.applied++
	s.mu.Unlock()
	if lie {
		bad := append([]byte(nil), data...)
		bad[at] ^= 1
		if wrong, err := merkle.DecodeProof(bad); err == nil {
			if _, err := s.reader.Apply(ctx, wrong); err != nil {
				return Verdict{}, err
			}
		}
	}
	if p, err = merkle.DecodeProof(data); err != nil {
		return Verdict{}, err
	}
	list, err := s.reader.Apply(ctx, p)
	if err != nil {
		return Verdict{}, err
	}
	return list[0], list[0].Err
}

func (s *fakeSource) fetches() (total, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.asked {
		total, most = total+n, max(most, n)
	}
	return total, most
}

func (s *fakeSource) told() []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Change(nil), s.changes...)
}

// rotten is an engine some of whose blocks are corrupt until they are written anew.
type rotten struct {
	*pebble.Engine
	mu  sync.Mutex
	bad map[string][]byte // what is found in their place, nil for nothing
	// records are corrupt too, until they are written anew
	records map[string]bool
}

// openRotten opens a store over a rotten engine.
func openRotten(t testing.TB) (*rotten, *datastore.DB) {
	t.Helper()
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40})
	e, err := pebble.OpenEngine("store", pebble.Options{FS: mem})
	if err != nil {
		t.Fatal(err)
	}
	r := &rotten{Engine: e, bad: map[string][]byte{}, records: map[string]bool{}}
	db := datastore.NewDB(r, datastore.Options{})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, db
}

// rot makes a block corrupt.
func (r *rotten) rot(c *Core, i uint64, found []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bad[string(blockKey(c.log.id, i))] = found
}

func (r *rotten) look(key []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok := r.bad[string(key)]
	if !ok {
		return nil
	}
	return &datastore.CorruptError{Key: append(datastore.Key(nil), key...), Value: found}
}

// Commit implements datastore.Engine.
func (r *rotten) Commit(b *datastore.Batch, durable bool) error {
	r.mu.Lock()
	for _, op := range b.Ops {
		switch op.Kind {
		case datastore.OpSetBlock:
			delete(r.bad, string(op.Key))
		case datastore.OpSet:
			delete(r.records, string(op.Key))
		}
	}
	r.mu.Unlock()
	return r.Engine.Commit(b, durable)
}

// BlockReader implements datastore.BlockEngine.
func (r *rotten) BlockReader() (datastore.BlockReader, error) {
	b, err := r.Engine.BlockReader()
	return rottenReader{b, r}, err
}

type rottenReader struct {
	datastore.BlockReader
	r *rotten
}

// Block implements datastore.BlockReader.
func (r rottenReader) Block(key []byte) ([]byte, error) {
	b, err := r.BlockReader.Block(key)
	if err == nil {
		err = r.r.look(key)
	}
	return b, err
}

// Get implements datastore.Reader.
func (r rottenReader) Get(key []byte) ([]byte, error) {
	b, err := r.BlockReader.Get(key)
	r.r.mu.Lock()
	defer r.r.mu.Unlock()
	if err == nil && r.r.records[string(key)] {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 1
	}
	return b, err
}

// Blocks implements datastore.BlockReader.
func (r rottenReader) Blocks(lo, hi []byte) iter.Seq2[datastore.Record, error] {
	return func(yield func(datastore.Record, error) bool) {
		for rec, err := range r.BlockReader.Blocks(lo, hi) {
			if err == nil {
				err = r.r.look(rec.Key)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}
