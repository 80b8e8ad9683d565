package replicate

import (
	"bytes"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/vectors"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// stage is a stream on which this side is ours, and the other says what was recorded of it.
type stage struct {
	hash      [64]byte
	initiator bool
	in        chan []byte
	once      sync.Once
	closed    chan struct{}

	mu   sync.Mutex // guards what follows
	own  *speech    // nil when nothing is kept
	said []spoken
}

func newStage(hash [64]byte, initiator bool) *stage {
	return &stage{hash: hash, initiator: initiator, in: make(chan []byte, 1), closed: make(chan struct{})}
}

// ReadMessage implements [mux.Conn].
func (p *stage) ReadMessage() ([]byte, error) {
	select {
	case b := <-p.in:
		return b, nil
	case <-p.closed:
		return nil, io.EOF
	}
}

func (p *stage) WriteMessages(frames ...[]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range frames {
		if p.own == nil {
			break
		}
		p.said = append(p.said, p.own.parse(f)...)
	}
	return nil
}
func (p *stage) HandshakeHash() [64]byte { return p.hash }
func (p *stage) Initiator() bool         { return p.initiator }
func (p *stage) RemoteKey() []byte       { return []byte("recorded") }
func (p *stage) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// perform lets a node be one side of a session: it asks what that side asked, and hears what the other said. It returns what the
// node said.
func (g *goldenSession) perform(t testing.TB, n *node, me string) []spoken {
	t.Helper()
	p := newStage([64]byte(g.HandshakeHash), me == initiates)
	p.own = newSpeech(t)
	done := make(chan error, 1)
	go func() { done <- n.set.Serve(t.Context(), p, n.store.Find) }()
	mine, theirs := newSpeech(t), newSpeech(t)
	asked := map[keys.DiscoveryKey]*merkle.Request{}
	for _, f := range g.Frames {
		synctest.Wait()
		if f.From != me {
			if b := g.retold(t, theirs, f.Hex, asked); b != nil {
				p.in <- b
			}
			continue
		}
		for _, m := range mine.parse(f.Hex) {
			if wire.Type(m.Type) == wire.TypeRequest && g.shown(t, m.core) {
				asked[m.core] = n.ask(m)
			}
		}
	}
	synctest.Wait()
	p.Close()
	if err := <-done; err != nil {
		t.Errorf("the session ended with %v", err)
	}
	return p.said
}

// ask has the session of a core ask what was recorded, and returns it with its new number.
func (n *node) ask(m spoken) *merkle.Request {
	n.t.Helper()
	r := n.set.Core(m.core)
	links := r.list()
	if len(links) != 1 {
		n.t.Fatalf("%d channels are open for a core", len(links))
	}
	q := requestOf(n.t, m.Payload)
	q.ID = 0
	r.step(links[0], false, func(*scheduler) { links[0].peer.follow = append(links[0].peer.follow, q) })
	synctest.Wait()
	if q.ID == 0 {
		n.t.Fatalf("%+v was not sent", q)
	}
	return q
}

// retold returns a frame with its answers under the numbers of what was asked; nil for answers that cannot be checked.
func (g *goldenSession) retold(t testing.TB, from *speech, frame []byte, asked map[keys.DiscoveryKey]*merkle.Request) []byte {
	t.Helper()
	from.parse(frame)
	var list []mux.Message
	for m, err := range mux.Messages(frame) {
		if err != nil {
			t.Fatal(err)
		}
		if m.Channel > 0 && wire.Type(m.Type) == wire.TypeData {
			q := asked[from.opened[m.Channel]]
			if q == nil {
				return nil
			}
			p := proofOf(t, m.Payload)
			p.Request = q.ID
			m.Payload = merkle.AppendProof(nil, p)
		}
		list = append(list, m)
	}
	if !mux.IsBatch(frame) {
		return mux.AppendMessage(nil, list[0])
	}
	return mux.AppendBatch(nil, list)
}

// openGolden opens the cores of a session by their keys, and gathers the extension messages of each.
func (n *node) openGolden(g *goldenSession) (heard *[]string) {
	n.t.Helper()
	heard = new([]string)
	for _, c := range g.Cores {
		ref := corestore.Key(keys.Key(c.Key.Array32(n.t)))
		ref.Compat = g.compat(n.t, c.discovery(n.t))
		n.open(ref)
		for _, m := range slices.Concat(g.said(n.t, initiates, wire.TypeExtension), g.said(n.t, responds, wire.TypeExtension)) {
			if x, err := wire.DecodeExtension(m.Payload); err == nil && x.Name != "" {
				n.set.Core(c.discovery(n.t)).Handle(x.Name, func(_ string, b []byte) { *heard = append(*heard, string(b)) })
			}
		}
	}
	return heard
}

// Each side's part of the recorded sessions, heard by ours in the other role, is taken, and leaves the cores that are read as they
// were in the end. What was read so is given again when ours hears the part of the reader.
func TestVectorsSessions(t *testing.T) {
	var v struct{ Sessions []goldenSession }
	vectors.Load(t, "wire.json", &v)
	read := 0
	for i := range v.Sessions {
		g := &v.Sessions[i]
		for _, me := range []string{initiates, responds} {
			t.Run(g.Name+", as "+me, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := newNode(t, Options{})
					heard := n.openGolden(g)
					said := g.perform(t, n, me)
					g.heard(t, otherThan(me), heard)
					for _, c := range g.Cores {
						read += g.reads(t, n, &c, me, said)
					}
					said = g.perform(t, n, otherThan(me))
					g.heard(t, me, heard)
					for _, c := range g.Cores {
						g.gives(t, &c, me, said)
					}
				})
			})
		}
	}
	if read == 0 {
		t.Error("no core was read")
	}
}

// heard looks whether the other side's extension messages came.
func (g *goldenSession) heard(t testing.TB, side string, got *[]string) {
	t.Helper()
	var want []string
	for _, m := range g.said(t, side, wire.TypeExtension) {
		x, err := wire.DecodeExtension(m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, string(x.Payload))
	}
	if !slices.Equal(*got, want) {
		t.Errorf("extension messages %q, want %q", *got, want)
	}
	*got = nil
}

// reads looks whether a core that a side read is as it was in the end, and returns how many blocks that were. Of one that cannot be
// checked it looks whether its head was asked for.
func (g *goldenSession) reads(t testing.TB, n *node, of *goldenCore, side string, said []spoken) (blocks int) {
	t.Helper()
	d := of.discovery(t)
	proofs := g.proofs(t, otherThan(side), d)
	if len(proofs) == 0 {
		return 0
	}
	if !g.shown(t, d) {
		g.asks(t, d, side, said)
		return 0
	}
	c := n.open(corestore.Key(keys.Key(of.Key.Array32(t))))
	if c.Head().Length != of.has(side) {
		t.Errorf("%v, want a length of %d", c.Head(), of.has(side))
	}
	for _, p := range proofs {
		if p.Block == nil {
			continue
		}
		blocks++
		if ok, err := c.Has(t.Context(), p.Block.Index, p.Block.Index+1); !ok || err != nil {
			t.Errorf("block %d is not here, %v", p.Block.Index, err)
			continue
		}
		if b, err := c.Get(t.Context(), p.Block.Index); err != nil || !bytes.Equal(b, p.Block.Value) {
			t.Errorf("block %d is %x (%v), want %x", p.Block.Index, b, err, p.Block.Value)
		}
	}
	return blocks
}

// asks looks whether a head that a side asked for is asked for by ours too.
func (g *goldenSession) asks(t testing.TB, d keys.DiscoveryKey, side string, said []spoken) {
	t.Helper()
	for _, m := range g.said(t, side, wire.TypeRequest, d) {
		want := requestOf(t, m.Payload)
		if want.Upgrade == nil {
			continue
		}
		if !slices.ContainsFunc(said, func(s spoken) bool {
			if s.core != d || wire.Type(s.Type) != wire.TypeRequest {
				return false
			}
			q := requestOf(t, s.Payload)
			return q.Fork == want.Fork && q.Upgrade != nil && *q.Upgrade == *want.Upgrade
		}) {
			t.Errorf("nobody asks for %+v of fork %d", *want.Upgrade, want.Fork)
		}
	}
}

// gives looks whether what a side asked of a core that ours holds was answered, and with the blocks that were recorded.
func (g *goldenSession) gives(t testing.TB, of *goldenCore, side string, said []spoken) {
	t.Helper()
	d := of.discovery(t)
	want := g.proofs(t, otherThan(side), d)
	if !g.shown(t, d) || len(want) == 0 {
		return
	}
	var got []*merkle.Proof
	for _, m := range said {
		if m.core == d && wire.Type(m.Type) == wire.TypeData {
			got = append(got, proofOf(t, m.Payload))
		}
	}
	requests := g.said(t, side, wire.TypeRequest, d)
	if len(got) != len(want) || len(got) != len(requests) {
		t.Fatalf("%d answers to %d requests, want %d", len(got), len(requests), len(want))
	}
	for k, p := range got {
		if q := requestOf(t, requests[k].Payload); !p.Answers(q) {
			t.Errorf("%+v is no answer to %+v", p, q)
		}
		if b := want[k].Block; b != nil && (p.Block == nil || !bytes.Equal(p.Block.Value, b.Value)) {
			t.Errorf("%+v, want block %+v", p.Block, b)
		}
	}
}
