//go:build unix

package bee

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// The workloads are those that the JavaScript stack was measured with, to the byte: the primary key is 32 bytes of 1, the core's
// name "bench", keys are "key-" and ten digits, value i is 100 bytes of the keystream AES-128-CTR (key and nonce zero, 8 MiB of
// it) from offset i*4099 mod (8 MiB - 100) on, its first eight bytes replaced by i in little endian. So the hashes are known.
const (
	benchKeys  = 100_000
	benchSize  = 100
	benchPool  = 8 << 20
	benchBatch = 1000
)

// world is a store on disk that hands each commit to the kernel, and what the workloads put there.
type world struct {
	tb    testing.TB
	dir   string
	pool  []byte
	order []int
	db    *datastore.DB
	store *corestore.Store
	core  *core.Core
}

func newWorld(tb testing.TB, shuffled bool) *world {
	tb.Helper()
	w := &world{tb: tb, dir: tb.TempDir(), pool: make([]byte, benchPool), order: benchOrder(shuffled)}
	b, err := aes.NewCipher(make([]byte, 16))
	w.must(err)
	cipher.NewCTR(b, make([]byte, b.BlockSize())).XORKeyStream(w.pool, w.pool)
	w.open()
	tb.Cleanup(w.close)
	return w
}

func (w *world) must(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

func (w *world) open() {
	var err error
	w.db, err = pebble.Open(w.dir, pebble.Options{Options: datastore.Options{Durability: datastore.Process}})
	w.must(err)
	ctx := w.tb.Context()
	w.store, err = corestore.Open(ctx, w.db, corestore.Options{PrimaryKey: keys.PrimaryKey(bytes.Repeat([]byte{1}, 32))})
	w.must(err)
	w.core, err = w.store.Open(ctx, corestore.Name("bench"))
	w.must(err)
}

func (w *world) close() {
	if err := errors.Join(w.store.Close(), w.db.Close()); err != nil {
		w.tb.Error(err)
	}
}

// reopen closes the store and opens it again: what is read then comes from files that the kernel has in memory.
func (w *world) reopen() {
	w.close()
	w.open()
}

func (w *world) bee() *Bee {
	b, err := Open(w.tb.Context(), w.core)
	w.must(err)
	return b
}

func benchKey(i int) []byte {
	k := []byte("key-0000000000")
	for at := len(k) - 1; i > 0; at, i = at-1, i/10 {
		k[at] += byte(i % 10)
	}
	return k
}

func (w *world) value(i int) []byte {
	at := i * 4099 % (benchPool - benchSize)
	v := bytes.Clone(w.pool[at : at+benchSize])
	binary.LittleEndian.PutUint64(v, uint64(i))
	return v
}

// draw is the generator of the workloads.
type draw uint32

func (d *draw) next(n int) int {
	*d = *d*1664525 + 1013904223
	return int(uint64(*d) * uint64(n) >> 32)
}

func benchOrder(shuffled bool) []int {
	list := make([]int, benchKeys)
	for i := range list {
		list[i] = i
	}
	if d := draw(7); shuffled {
		for i := len(list) - 1; i > 0; i-- {
			j := d.next(i + 1)
			list[i], list[j] = list[j], list[i]
		}
	}
	return list
}

// fill puts keys in batches.
func (w *world) fill(order []int) {
	b := w.bee()
	defer b.Close()
	for ; len(order) > 0; order = order[min(benchBatch, len(order)):] {
		w.batch(b, order[:min(benchBatch, len(order))], 0)
	}
}

func (w *world) batch(b *Bee, order []int, salt int) {
	w.must(b.Update(w.tb.Context(), func(tx *Batch) error {
		for _, i := range order {
			if err := tx.Put(benchKey(i), w.value(i+salt)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// check compares the core with the one that the JavaScript stack makes.
func (w *world) check(hash string) {
	w.tb.Helper()
	if h := w.core.TreeHash(); !strings.HasPrefix(fmt.Sprintf("%x", h[:]), hash) {
		w.tb.Fatalf("tree hash %x, want %s", h[:8], hash)
	}
}

// row is a row of the table: what the JavaScript stack does in a second, and what is the least for us. 0 is unknown.
type row struct{ js, target float64 }

// meter measures time, and processor time of the whole process, which a busy machine changes less.
type meter struct {
	b         *testing.B
	n         int
	wall, cpu time.Duration
}

// run measures fn, which deals with n entries.
func (m *meter) run(n int, fn func()) {
	start, cpu := time.Now(), cpuTime()
	m.b.StartTimer()
	fn()
	m.b.StopTimer()
	m.wall += time.Since(start)
	m.cpu += cpuTime() - cpu
	m.n += n
}

func (m *meter) report(r row) {
	rate := float64(m.n) / m.wall.Seconds()
	m.b.ReportMetric(rate, "entries/s")
	m.b.ReportMetric(float64(m.n)/m.cpu.Seconds(), "entries/cpu-s")
	if r.js > 0 {
		m.b.ReportMetric(r.js, "js/s")
		m.b.ReportMetric(rate/r.js, "times-js")
	}
	if r.target > 0 {
		m.b.ReportMetric(r.target, "target/s")
		m.b.ReportMetric(rate/r.target, "times-target")
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
