package node_test

import (
	"context"
	"testing"
	"time"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/node"
)

// BenchmarkDownload copies a core of 64 MiB in blocks of 64 KiB between two nodes in one process, with stores in memory.
func BenchmarkDownload(b *testing.B) {
	const blocks, size = 1024, 64 << 10
	for _, transport := range []struct{ name, listen string }{
		{"tcp", "/ip4/127.0.0.1/tcp/0"}, {"quic", "/ip4/127.0.0.1/udp/0/quic-v1"},
		{"webtransport", "/ip4/127.0.0.1/udp/0/quic-v1/webtransport"}, {"websocket", "/ip4/127.0.0.1/tcp/0/ws"},
	} {
		b.Run(transport.name, func(b *testing.B) {
			c := local()
			c.Network.Transports, c.Network.Listen = []string{transport.name}, []string{transport.listen}
			a := start(b, c)
			written, err := a.Open(b.Context(), corestore.Name("bulk"))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { written.Close() })
			batch := make([][]byte, 64)
			for i := range batch {
				batch[i] = make([]byte, size)
			}
			for range blocks / len(batch) {
				if _, err := written.Append(b.Context(), batch...); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(blocks * size)
			for b.Loop() {
				b.StopTimer()
				r := start(b, c)
				b.StartTimer()
				copied, err := r.Core(b.Context(), written.Key(), a.info())
				if err != nil {
					b.Fatal(err)
				}
				if err := copied.Update(b.Context()); err != nil {
					b.Fatal(err)
				}
				if err := copied.Download(b.Context(), core.Want{Ranges: []core.Range{{Start: 0, End: blocks}}}); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				copied.Close()
				r.stop()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkStart opens a store on disk and makes a node ready, with all transports.
func BenchmarkStart(b *testing.B) {
	c := config.Config{Path: b.TempDir(), Discovery: config.Discovery{Profile: config.LAN, MDNS: config.Off, LocalPorts: config.Off}}
	for _, listen := range []string{"/tcp/0", "/tcp/0/ws", "/udp/0/quic-v1", "/udp/0/quic-v1/webtransport", "/udp/0/webrtc-direct"} {
		c.Network.Listen = append(c.Network.Listen, "/ip4/127.0.0.1"+listen)
	}
	for b.Loop() {
		n, err := node.New(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		n.Close()
		b.StartTimer()
	}
}

// BenchmarkFirstByte starts a node that knows one bootstrap node, finds a core and reads its first block.
func BenchmarkFirstByte(b *testing.B) {
	boot := start(b, local())
	a := start(b, local(boot))
	written := a.write(b, "core", 3)
	until(b, "the announcement", func() bool { return a.Status().Networks[0].Nodes > 0 })
	start(b, local(boot)).read(b, written)
	for b.Loop() {
		func() {
			ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
			defer cancel()
			r := start(b, local(boot))
			c, err := r.Core(ctx, written.Key())
			if err != nil {
				b.Fatal(err)
			}
			if err := r.Joined(ctx, c.DiscoveryKey()); err != nil {
				b.Fatal(err)
			}
			if err := c.Update(ctx); err != nil {
				b.Fatal(err)
			}
			if _, err := c.Get(ctx, 0); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			c.Close()
			r.stop()
			b.StartTimer()
		}()
	}
}
