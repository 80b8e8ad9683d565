package pebble

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strconv"
	"sync"

	"github.com/hypernode/hypernode/datastore"
)

// marks is what the workload has been told so far.
type marks struct{ durable, returned, tried int }

// workload is a random sequence of commits, with a digest of the state after each.
type workload struct {
	rand    *rand.Rand
	seed    maphash.Seed
	records map[string][]byte
	blocks  map[string][]byte
	digests []uint64 // of the state after commit i; 0 is the empty store
	next    int      // of the block that is appended next

	mu    sync.Mutex
	marks marks
}

func newWorkload(seed uint64, hash maphash.Seed) *workload {
	return &workload{rand: rand.New(rand.NewPCG(seed, 1)), seed: hash,
		records: map[string][]byte{}, blocks: map[string][]byte{}, digests: []uint64{0}}
}

func (w *workload) note() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.marks
}

func (w *workload) mark(set func(*marks)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set(&w.marks)
}

// entry is what one key adds to a digest: the order of keys does not matter to the sum.
func entry(seed maphash.Seed, space byte, k, v []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	_ = h.WriteByte(space)
	_, _ = h.Write(k)
	_ = h.WriteByte(0)
	_, _ = h.Write(v)
	return h.Sum64()
}

func (w *workload) digest() (sum uint64) {
	for k, v := range w.records {
		sum += entry(w.seed, 'r', []byte(k), v)
	}
	for k, v := range w.blocks {
		sum += entry(w.seed, 'b', []byte(k), v)
	}
	return sum
}

func (w *workload) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.rand.Uint32())
	}
	return b
}

func (w *workload) apply(op datastore.Op) datastore.Op {
	k := string(op.Key)
	switch op.Kind {
	case datastore.OpSet:
		w.records[k] = op.Value
	case datastore.OpDelete:
		delete(w.records, k)
	case datastore.OpDeleteRange:
		for k := range w.records {
			if k >= string(op.Key) && k < string(op.End) {
				delete(w.records, k)
			}
		}
	case datastore.OpSetBlock:
		w.blocks[k] = op.Value
	case datastore.OpDeleteBlocks:
		for k := range w.blocks {
			if k >= string(op.Key) && k < string(op.End) {
				delete(w.blocks, k)
			}
		}
	}
	return op
}

// batch makes the next commit and applies it to the model.
func (w *workload) batch() *datastore.Batch {
	b := &datastore.Batch{}
	add := func(op datastore.Op) { b.Ops = append(b.Ops, w.apply(op)) }
	blockKey := func(n int) string { return fmt.Sprintf("/b/%05d", n) }
	recordKey := func() string { return fmt.Sprintf("/r/%02d", w.rand.IntN(40)) }
	for range 1 + w.rand.IntN(4) {
		switch n := w.rand.IntN(20); {
		case n < 5:
			add(set(recordKey(), string(w.bytes(w.rand.IntN(60)))))
		case n < 6:
			add(datastore.Op{Kind: datastore.OpDelete, Key: []byte(recordKey())})
		case n < 7:
			lo := w.rand.IntN(40)
			add(deleteRange(fmt.Sprintf("/r/%02d", lo), fmt.Sprintf("/r/%02d", lo+w.rand.IntN(8))))
		case n < 14:
			for range 1 + w.rand.IntN(3) {
				add(setBlock(blockKey(w.next), w.bytes(w.rand.IntN(3)*w.rand.IntN(1500)+w.rand.IntN(60))))
				w.next++
			}
		case n < 15:
			add(setBlock(blockKey(w.next), w.bytes(9000+w.rand.IntN(9000))))
			w.next++
		case n < 17 && w.next > 0:
			add(setBlock(blockKey(w.rand.IntN(w.next)), w.bytes(w.rand.IntN(900))))
		case n < 19:
			lo := w.rand.IntN(w.next + 1)
			add(deleteBlocks(blockKey(lo), blockKey(lo+w.rand.IntN(12))))
		default:
			lo := w.rand.IntN(w.next + 1)
			add(deleteBlocks(blockKey(lo/2), blockKey(lo)))
		}
	}
	b.Ops = append(b.Ops, w.apply(set("/n/n", strconv.Itoa(len(w.digests)))))
	w.digests = append(w.digests, w.digest())
	return b
}

// run commits n batches, sometimes with something else between them.
func (w *workload) run(e *Engine, n int) error {
	for range n {
		b := w.batch()
		i, durable := len(w.digests)-1, w.rand.IntN(5) == 0
		w.mark(func(m *marks) { m.tried = i })
		if err := e.Commit(b, durable); err != nil {
			return err
		}
		w.mark(func(m *marks) {
			m.returned = i
			if durable {
				m.durable = i
			}
		})
		if err := w.between(e, i); err != nil {
			return err
		}
	}
	return nil
}

func (w *workload) between(e *Engine, i int) error {
	switch w.rand.IntN(24) {
	case 0, 1:
		if err := e.Sync(); err != nil {
			return err
		}
		w.mark(func(m *marks) { m.durable = i })
	case 2:
		return e.Compact([]byte("/"), []byte("0"))
	case 3:
		return e.flush()
	}
	return nil
}
