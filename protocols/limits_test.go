package protocols_test

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/protocols"
)

// TestStreamLimit has one peer open many replication streams and say nothing on them.
func TestStreamLimit(t *testing.T) {
	a, b := newSide(t), newSide(t)
	if err := b.host.Connect(t.Context(), peer.AddrInfo{ID: a.host.ID(), Addrs: a.host.Addrs()}); err != nil {
		t.Fatal(err)
	}
	const many = 40
	refused := 0
	for range many {
		st, err := b.host.NewStream(t.Context(), a.host.ID(), protocols.Replicate)
		if err != nil {
			refused++
			continue
		}
		defer st.Reset()
		st.SetDeadline(time.Now().Add(time.Second))
		if _, err := st.Write(make([]byte, 32)); err != nil {
			refused++
			continue
		}
		if _, err := st.Read(make([]byte, 32)); err != nil {
			refused++
		}
	}
	if refused < many-protocols.MaxPeerStreams-8 {
		t.Fatalf("%d of %d streams were refused", refused, many)
	}
	until(t, "no more streams of one peer than it may have", func() bool { return inbound(a, b) <= protocols.MaxPeerStreams })
	written := a.write(t, 2, 10)
	c := newSide(t)
	c.knows(a)
	if err := c.service.Connect(t.Context(), a.host.ID()); err != nil {
		t.Fatal(err)
	}
	c.fetch(t, written)
}

// inbound counts the replication streams that another side has opened.
func inbound(s, from *side) (n int) {
	for _, c := range s.host.Network().ConnsToPeer(from.host.ID()) {
		for _, st := range c.GetStreams() {
			if st.Protocol() == protocols.Replicate && st.Stat().Direction == network.DirInbound {
				n++
			}
		}
	}
	return n
}
