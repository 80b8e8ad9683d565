package drive_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/internal/testnet"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// afar is two stores with a real replication stream between them, over a link with a delay.
type afar struct {
	from, to *corestore.Store
	link     *testnet.Link
}

// newAfar joins two stores in memory. It must be called in a bubble of synctest, whose clock the link keeps.
func newAfar(t *testing.T, roundTrip time.Duration, rate int) *afar {
	t.Helper()
	sets := [2]*replicate.Set{replicate.New(replicate.Options{}), replicate.New(replicate.Options{})}
	shape := testnet.Shape{Delay: roundTrip / 2, Rate: rate}
	a := &afar{link: testnet.NewLink(shape, shape)}
	a.from = openStore(t, memory(t), corestore.Options{PrimaryKey: keys.PrimaryKey{1}, Source: sets[0]})
	a.to = openStore(t, memory(t), corestore.Options{PrimaryKey: keys.PrimaryKey{2}, Source: sets[1]})
	ctx, cancel := context.WithCancel(context.Background())
	var ends sync.WaitGroup
	x, y := a.link.Ends()
	names := [2][]byte{[]byte("writer"), []byte("reader")}
	serve := func(set *replicate.Set, end *testnet.Conn, store *corestore.Store, me int) {
		conn, err := mux.NewFramed(ctx, end, mux.FramedOptions{LocalPeer: names[me], RemotePeer: names[1-me], Initiator: me == 1})
		if err == nil {
			_ = set.Serve(ctx, conn, store.Find) // it ends with the test
		}
	}
	ends.Go(func() { serve(sets[0], x, a.from, 0) })
	ends.Go(func() { serve(sets[1], y, a.to, 1) })
	t.Cleanup(func() { cancel(); a.link.Cut(); ends.Wait() })
	return a
}

// filmSize is the size of the film in bytes: 32 MiB, or what HYPERNODE_FILM_MIB says; 1024 is the size that counts.
func filmSize() int {
	if n, err := strconv.Atoi(os.Getenv("HYPERNODE_FILM_MIB")); err == nil && n > 0 {
		return n << 20
	}
	return 32 << 20
}

// TestFilm opens a large file of a drive far away and reads from the midst of it, as who looks at a film does: the clock of the
// bubble counts the round trips, which take 50 ms each and are all that takes time.
func TestFilm(t *testing.T) {
	const roundTrip = 50 * time.Millisecond
	chunk, size := pattern(9, 1<<20+3), filmSize()
	for _, c := range []struct{ others, rate int }{{0, 0}, {1000, 0}, {1000, 20 << 20}} {
		t.Run(fmt.Sprintf("beside %d at %d", c.others, c.rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAfar(t, roundTrip, c.rate)
				writer := newDrive(t, a.from, "films")
				fillWith(t, writer, c.others)
				writeFilm(t, writer, chunk, size)
				reader, err := drive.Open(t.Context(), a.to, writer.Key())
				if err != nil {
					t.Fatal(err)
				}
				defer reader.Close()
				start := time.Now()
				for h := reader.Core().Head(); h.Length < writer.Core().Head().Length; {
					if h, err = reader.Core().Wait(t.Context(), h); err != nil {
						t.Fatal(err)
					}
				}
				t.Logf("the drive is open after %v round trips", float64(time.Since(start))/float64(roundTrip))
				watchFilm(t, reader, chunk, size, roundTrip, c.rate)
			})
		})
	}
}

func fillWith(t *testing.T, d *drive.Drive, n int) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *drive.Batch) error {
		for i := range n {
			if err := tx.WriteFile(smallPath(i*17), []byte("other"), drive.Meta{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func writeFilm(t *testing.T, d *drive.Drive, chunk []byte, size int) {
	t.Helper()
	w, err := d.Create(t.Context(), "/dir-050/film", drive.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ReadFrom(&repeat{chunk: chunk, left: size}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// watchFilm opens the film and reads at a few places: the first bytes come within three round trips, those at the next place within
// one, and the whole MiB within one more.
func watchFilm(t *testing.T, d *drive.Drive, chunk []byte, size int, roundTrip time.Duration, rate int) {
	t.Helper()
	slack, whole := time.Duration(0), time.Duration(0) // what a slow line takes for one frame, and for all
	if rate > 0 {
		slack = 6 * time.Second << 16 / time.Duration(rate)
		whole = 3 * time.Second << 19 / time.Duration(rate)
	}
	start, allowed := time.Now(), 3*roundTrip
	f, err := d.Open(t.Context(), "/dir-050/film")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size() != int64(size) {
		t.Fatalf("%d bytes", f.Size())
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for part := range int64(4) {
		// Places that are not read ahead of each other.
		quarter := int64(size) / 4
		at := (part*3+2)%4*quarter + r.Int64N(quarter/2)
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 1<<20)
		n, err := f.Read(got)
		first := time.Since(start)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		if _, err := io.ReadFull(f, got[n:]); err != nil {
			t.Fatal(err)
		}
		all := time.Since(start)
		t.Logf("seed %d: at %d the first bytes after %.2f round trips, 1 MiB after %.2f", seed, at, float64(first)/float64(roundTrip), float64(all)/float64(roundTrip))
		if first > allowed+slack || all > allowed+roundTrip+whole {
			t.Errorf("seed %d: at %d: the first bytes after %v, 1 MiB after %v, want %v", seed, at, first, all, allowed)
		}
		want := make([]byte, len(got))
		if _, err := (&repeat{chunk: chunk, at: int(at) % len(chunk), left: len(want)}).fill(want); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("seed %d: at %d: other bytes, %v", seed, at, err)
		}
		if rate > 0 {
			return // what is under way of the place that was read last is in the way of the next
		}
		start, allowed = time.Now(), roundTrip
	}
}

func (r *repeat) fill(p []byte) (int, error) { return io.ReadFull(r, p) }

// TestCutBeforeContents cuts a drive back before it has any contents, also while a reader looks: both cores begin a new fork, and the reader
// follows.
func TestCutBeforeContents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAfar(t, time.Millisecond, 0)
		writer := newDrive(t, a.from, "cut")
		reader, err := drive.Open(t.Context(), a.to, writer.Key())
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		follow := func() {
			t.Helper()
			for h := reader.Core().Head(); h != writer.Core().Head(); {
				if h, err = reader.Core().Wait(t.Context(), h); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := range 2 {
			if err := writer.Symlink(t.Context(), "/link", "/f", drive.Meta{}); err != nil {
				t.Fatal(err)
			}
			follow()
			if _, err := reader.Blobs(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := writer.Truncate(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			b, err := writer.Blobs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if h := b.Core().Head(); h.Fork != uint64(i+1) || h.Length != 0 {
				t.Errorf("the contents are at %v", h)
			}
		}
		mustWrite(t, writer, "/f", "after")
		follow()
		mustRead(t, reader, "/f", "after")
	})
}
