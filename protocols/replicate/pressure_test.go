package replicate

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// greedy is a stream whose other side asks without an end and takes nothing.
type greedy struct {
	key    keys.Key
	sent   uint64 // frames
	once   sync.Once
	closed chan struct{}
}

// ReadMessage implements [mux.Conn].
func (g *greedy) ReadMessage() ([]byte, error) {
	select {
	case <-g.closed:
		return nil, io.EOF
	default:
	}
	if g.sent++; g.sent == 1 {
		return opening(1, g.key), nil
	}
	q := &merkle.Request{ID: g.sent, Block: &merkle.BlockRequest{Index: g.sent % 100}}
	return mux.AppendMessage(nil, mux.Message{Channel: 1, Type: uint64(wire.TypeRequest), Payload: merkle.AppendRequest(nil, q)}), nil
}

func (g *greedy) WriteMessages(...[]byte) error {
	<-g.closed
	return io.ErrClosedPipe
}
func (g *greedy) HandshakeHash() (h [64]byte) { return h }
func (g *greedy) Initiator() bool             { return false }
func (g *greedy) RemoteKey() []byte           { return []byte("greedy") }
func (g *greedy) Close() error {
	g.once.Do(func() { close(g.closed) })
	return nil
}

// Of a peer that takes no answers no more than some thousand requests are read, and few answers are made.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, Options{})
		w := n.open(corestore.Name("log"))
		for i := range 100 {
			if _, err := w.Append(t.Context(), make([]byte, 60_000+i)); err != nil {
				t.Fatal(err)
			}
		}
		g := &greedy{key: w.Key(), closed: make(chan struct{})}
		done := make(chan error, 1)
		go func() { done <- n.set.Serve(t.Context(), g, n.store.Find) }()
		synctest.Wait() // all are stuck
		// How many groups of requests are taken before the answers to the first ones are stuck is a matter of chance.
		if g.sent < maxRequests || g.sent > 2*maxRequests {
			t.Errorf("%d requests are read", g.sent)
		}
		if st := n.set.Core(w.DiscoveryKey()).Stats(); st.BytesOut > 1<<20 {
			t.Errorf("%d bytes are on their way to a peer that takes none", st.BytesOut)
		}
		g.Close()
		<-done
	})
}

// A peer that answers faster than the store takes is not read on. The store is one whose commits wait.
func TestBackPressureOfStore(t *testing.T) {
	var b inbox
	b.init()
	r := &Replicator{}
	l := &link{replicator: r}
	big := arrival{link: l, proof: &merkle.Proof{}, size: maxInbox}
	b.put([]arrival{big, big})
	put := make(chan struct{})
	go func() { defer close(put); b.put([]arrival{big}) }()
	select {
	case <-put:
		t.Error("no end of answers is kept")
	default:
	}
	if got := b.take(maxGroup); len(got) != 1 {
		t.Errorf("%d answers are taken at a time", len(got))
	}
	b.take(maxGroup)
	<-put
	b.close()
}
