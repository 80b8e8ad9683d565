package blake2x

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"golang.org/x/crypto/blake2b"
)

// reference is the hash that one call of the library makes of the whole message.
func reference(m Message) [Size]byte {
	return blake2b.Sum256(append(bytes.Clone(m.Head), m.Data...))
}

// check hashes in with every implementation of this machine and compares with want.
func check(t *testing.T, want [][Size]byte, in []Message) {
	t.Helper()
	for _, k := range kernels() {
		out := make([][Size]byte, len(in))
		sum256(k, out, in)
		for i := range in {
			if out[i] != want[i] {
				t.Fatalf("%v: message %d of %d (head %d, data %d bytes): hash %x, want %x",
					k, i, len(in), len(in[i].Head), len(in[i].Data), out[i], want[i])
			}
		}
	}
}

// checkAll is check against the library.
func checkAll(t *testing.T, in []Message) {
	t.Helper()
	want := make([][Size]byte, len(in))
	for i := range in {
		want[i] = reference(in[i])
	}
	check(t, want, in)
}

// source returns a generator whose seed is in the test's log.
func source(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestAllLengths(t *testing.T) {
	r := source(t)
	data := random(r, 600)
	for _, head := range []int{0, 1, 9, 127, 128, 129, 300} {
		var in []Message
		for n := range len(data) + 1 {
			in = append(in, Message{Head: random(r, head), Data: data[:n]})
		}
		checkAll(t, in)
		r.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		checkAll(t, in)
	}
}

func TestEqualLengths(t *testing.T) {
	r := source(t)
	for _, size := range []int{0, 64, 119, 120, 128, 1 << 10, 64 << 10, 2*maxRunBytes + 77} {
		for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 16, 17} {
			in := make([]Message, n)
			for i := range in {
				in[i] = Message{Head: random(r, 9), Data: random(r, min(size, 1<<10))}
				in[i].Data = bytes.Repeat(in[i].Data, 1+size/(1<<10))[:size]
			}
			checkAll(t, in)
		}
	}
}

// maxRunBytes is what one call of assembly reads in a lane at most.
const maxRunBytes = 1024 * blockSize

func TestRandomBatches(t *testing.T) {
	r := source(t)
	data := random(r, 40_000) // more than the largest limit and head
	for range 300 {
		in := make([]Message, r.IntN(40))
		limit := 1 << r.IntN(15)
		for i := range in {
			from := r.IntN(len(data) - max(limit, 140))
			in[i] = Message{Head: data[from : from+r.IntN(140)], Data: data[from : from+r.IntN(limit+1)]}
		}
		checkAll(t, in)
	}
}

// TestConcurrent hashes the same messages in many goroutines, whose fresh stacks have to grow.
func TestConcurrent(t *testing.T) {
	r := source(t)
	var in []Message
	for range 20 {
		in = append(in, Message{Head: random(r, 9), Data: random(r, r.IntN(3000))})
	}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for _, k := range kernels() {
				out := make([][Size]byte, len(in))
				sum256(k, out, in)
				for i := range in {
					if out[i] != reference(in[i]) {
						t.Errorf("%v: message %d: wrong hash", k, i)
					}
				}
			}
		})
	}
	wg.Wait()
}

// TestOutput holds Sum256 to write len(in) hashes and no more, and to refuse less room.
func TestOutput(t *testing.T) {
	in := []Message{{Data: []byte("a")}, {Head: []byte("b")}, {}}
	out := make([][Size]byte, 5)
	Sum256(out, in)
	for i, m := range in {
		if out[i] != reference(m) {
			t.Errorf("message %d: wrong hash", i)
		}
	}
	if out[3] != [Size]byte{} || out[4] != [Size]byte{} {
		t.Error("wrote beyond the messages")
	}
	Sum256(nil, nil)
	defer func() {
		if recover() == nil {
			t.Error("no panic when out is too short")
		}
	}()
	Sum256(out[:2:2], in)
}

// TestAllocations holds heads and messages in the caller's stack frame to stay there, with every implementation.
func TestAllocations(t *testing.T) {
	data := make([]byte, 3000)
	for _, k := range kernels() {
		limit := 0.0
		if k == plain {
			limit = 1 // the hash state
		}
		n := testing.AllocsPerRun(20, func() {
			var heads [12][9]byte
			var in [12]Message
			var out [12][Size]byte
			for i := range in {
				heads[i][1] = byte(i)
				in[i] = Message{Head: heads[i][:], Data: data[i*100:]}
			}
			sum256(k, out[:], in[:])
		})
		if n > limit {
			t.Errorf("%v: %v allocations in a call, want at most %v", k, n, limit)
		}
	}
}

// TestChosen holds the implementation that Sum256 uses to be one that the other tests run.
func TestChosen(t *testing.T) {
	all := kernels()
	t.Logf("on this machine: %v; chosen: %v", all, bestKernel())
	if bestKernel() != all[len(all)-1] {
		t.Errorf("chosen %v of %v", bestKernel(), all)
	}
}
