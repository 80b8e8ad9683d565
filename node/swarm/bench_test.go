package swarm

import (
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/sys/unix"

	"github.com/hypernode/hypernode/config"
)

// BenchmarkStream carries bytes over one stream between two hosts of this process, and tells the CPU time that took.
func BenchmarkStream(b *testing.B) {
	for _, t := range []struct{ name, listen string }{
		{"tcp", "/ip4/127.0.0.1/tcp/0"}, {"websocket", "/ip4/127.0.0.1/tcp/0/ws"}, {"quic", "/ip4/127.0.0.1/udp/0/quic-v1"},
		{"webtransport", "/ip4/127.0.0.1/udp/0/quic-v1/webtransport"},
	} {
		b.Run(t.name, func(b *testing.B) {
			c := config.Config{Network: config.Network{Transports: []string{t.name}, Listen: []string{t.listen}}}
			c.Discovery.Profile = config.Offline
			one, err := build(b, c)
			if err != nil {
				b.Fatal(err)
			}
			two, err := build(b, c)
			if err != nil {
				b.Fatal(err)
			}
			done := make(chan int64)
			two.SetStreamHandler("/sink/1", func(s network.Stream) {
				n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, s, make([]byte, 256<<10))
				s.Close()
				done <- n
			})
			if err := one.Connect(b.Context(), peer.AddrInfo{ID: two.ID(), Addrs: two.Addrs()}); err != nil {
				b.Fatal(err)
			}
			s, err := one.NewStream(b.Context(), two.ID(), "/sink/1")
			if err != nil {
				b.Fatal(err)
			}
			buf := make([]byte, 256<<10)
			b.SetBytes(int64(len(buf)))
			before := cpu(b)
			for b.Loop() {
				if _, err := s.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
			s.Close()
			n := <-done
			b.ReportMetric((cpu(b)-before).Seconds()/float64(n)*(1<<30), "cpu-s/GiB")
		})
	}
}

func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
