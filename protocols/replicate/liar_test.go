package replicate

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// liar is a stream whose other side has all of a core. It gives the right head and a block of a wrong fork, both in one frame
// or apart.
type liar struct {
	t      *testing.T
	core   *core.Core
	in     chan []byte // frames of the other side
	head   *merkle.Request
	lied   bool
	apart  bool
	once   sync.Once
	closed chan struct{}
}

func newLiar(t *testing.T, c *core.Core) *liar {
	l := &liar{t: t, core: c, in: make(chan []byte, 8), closed: make(chan struct{})}
	n := c.Head().Length
	first := wire.Sync{Length: n, CanUpgrade: true, Uploading: true, Downloading: true, HasManifest: true}
	l.in <- opening(1, c.Key())
	l.in <- mux.AppendMessage(nil, said(wire.TypeSync, first.Append(nil)))
	l.in <- mux.AppendMessage(nil, said(wire.TypeRange, wire.Range{Length: n}.Append(nil)))
	return l
}

func said(typ wire.Type, payload []byte) mux.Message {
	return mux.Message{Channel: 1, Type: uint64(typ), Payload: payload}
}

// ReadMessage implements [mux.Conn].
func (l *liar) ReadMessage() ([]byte, error) {
	select {
	case b := <-l.in:
		return b, nil
	case <-l.closed:
		return nil, io.EOF
	}
}

func (l *liar) WriteMessages(frames ...[]byte) error {
	for _, f := range frames {
		for m, err := range mux.Messages(f) {
			if err == nil && m.Channel > 0 && wire.Type(m.Type) == wire.TypeRequest {
				err = l.hear(m.Payload)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// hear lies as soon as it is asked for both, the head and a block.
func (l *liar) hear(b []byte) error {
	q, err := merkle.DecodeRequest(b)
	if err != nil || l.lied {
		return err
	}
	if q.Upgrade != nil {
		l.head = q
		return nil
	}
	head, err := l.core.Prove(l.t.Context(), l.head)
	if err != nil {
		return err
	}
	block, err := l.core.Prove(l.t.Context(), q)
	if err != nil {
		return err
	}
	block.Fork += 3
	l.lied = true
	answers := []mux.Message{said(wire.TypeData, merkle.AppendProof(nil, head)), said(wire.TypeData, merkle.AppendProof(nil, block))}
	if l.apart {
		l.in <- mux.AppendMessage(nil, answers[0])
		l.in <- mux.AppendMessage(nil, answers[1])
	} else {
		l.in <- mux.AppendBatch(nil, answers)
	}
	return nil
}

func (l *liar) HandshakeHash() (h [64]byte) { return h }
func (l *liar) Initiator() bool             { return false }
func (l *liar) RemoteKey() []byte           { return []byte("liar") }
func (l *liar) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// A peer that is left while its answer about the head is being applied is left for what it did, not because that was broken off.
func TestLiarIsNamed(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 50)
	r := b.open(corestore.Key(w.Key()))
	stop := b.set.Core(r.DiscoveryKey()).Keep(whole(50), func(error) {})
	defer stop()
	begun, over := make(chan struct{}), make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() { // others wait
		err := b.db.Update(t.Context(), func(*datastore.Tx) error { close(begun); <-over; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	l := newLiar(t, w)
	l.apart = true
	if err := b.set.Serve(within(t), l, b.store.Find); !errors.Is(err, ErrBadPeer) || !l.lied {
		t.Errorf("the liar, which has lied (%v), is left: %v", l.lied, err)
	}
	close(over)
	writing.Wait()
}

// A peer that is left before its answer about the head is applied keeps nobody from asking others.
func TestLiarWithTheHead(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 50)
	r := b.open(corestore.Key(w.Key()))
	done := make(chan error, 1)
	ctx := within(t)
	go func() { done <- r.Download(ctx, whole(50)) }()
	session := b.set.Core(w.DiscoveryKey())
	for wants := 0; wants == 0 && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		session.mu.Lock()
		wants = len(session.sched.wants)
		session.mu.Unlock()
	}
	l := newLiar(t, w)
	if err := b.set.Serve(ctx, l, b.store.Find); !errors.Is(err, ErrBadPeer) || !l.lied {
		t.Fatalf("the liar, which has lied (%v), is left: %v", l.lied, err)
	}
	connect(t, a, b)
	if err := <-done; err != nil {
		t.Fatalf("%v, head %+v", err, r.Head())
	}
}
