package replicate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// diskNode is a node whose store is on disk.
func diskNode(b *testing.B, name string) *node {
	b.Helper()
	db, err := pebble.Open(filepath.Join(b.TempDir(), name), pebble.Options{Options: datastore.Options{Durability: datastore.Process}})
	if err != nil {
		b.Fatal(err)
	}
	n := &node{t: b, set: New(Options{})}
	if n.store, err = corestore.Open(b.Context(), db, corestore.Options{Source: n.set, PrimaryKey: keys.PrimaryKey{1}}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { n.store.Close(); db.Close() })
	return n
}

// connectTCP connects two nodes over loopback.
func connectTCP(b *testing.B, x, y *node) (cut func()) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() {
		serve(ctx, x, func() (mux.Conn, error) {
			conn, err := listener.Accept()
			if err != nil {
				return nil, err
			}
			return secretstream.Server(ctx, conn, secretstream.Options{})
		})
	})
	loops.Go(func() {
		serve(ctx, y, func() (mux.Conn, error) {
			conn, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				return nil, err
			}
			return secretstream.Client(ctx, conn, secretstream.Options{})
		})
	})
	return func() { cancel(); listener.Close(); loops.Wait() }
}

// BenchmarkDownload copies a core from disk to disk over TCP, both sides in this process.
func BenchmarkDownload(b *testing.B) {
	for _, load := range []struct{ blocks, size int }{{16384, 64 << 10}, {200_000, 1 << 10}, {200_000, 100}} {
		b.Run(fmt.Sprintf("%dx%d", load.blocks, load.size), func(b *testing.B) {
			x := diskNode(b, "writer")
			w := x.open(corestore.Name("log"))
			data := make([]byte, load.size)
			for i := range data {
				data[i] = byte(rand.Uint32())
			}
			for i := 0; i < load.blocks; {
				var group [][]byte
				for size := 0; i < load.blocks && size < 4<<20 && len(group) < 4096; i++ {
					group = append(group, data)
					size += len(data)
				}
				if _, err := w.Append(b.Context(), group...); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(load.blocks * load.size))
			before := cpuTime()
			for b.Loop() {
				y := diskNode(b, "reader")
				r := y.open(corestore.Key(w.Key()))
				cut := connectTCP(b, x, y)
				if err := r.Download(b.Context(), whole(uint64(load.blocks))); err != nil {
					b.Fatal(err)
				}
				cut()
				st := y.set.Core(w.DiscoveryKey()).Stats()
				b.ReportMetric(float64(st.Refused+st.Unavailable), "refused")
			}
			b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/float64(load.blocks*b.N), "cpu-ns/block")
			b.ReportMetric(float64(load.blocks*b.N)/b.Elapsed().Seconds(), "blocks/s")
		})
	}
}

// cpuTime is the processor time that this process has used.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
