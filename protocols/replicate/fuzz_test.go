package replicate

import (
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// taped is a stream whose other side is a list of frames.
type taped struct {
	frames [][]byte
	once   sync.Once
	closed chan struct{}
}

// ReadMessage implements [mux.Conn]. An empty frame gives the session time.
func (c *taped) ReadMessage() ([]byte, error) {
	for range 4 {
		runtime.Gosched()
	}
	select {
	case <-c.closed:
		return nil, io.ErrClosedPipe
	default:
	}
	if len(c.frames) == 0 {
		return nil, io.EOF
	}
	b := c.frames[0]
	c.frames = c.frames[1:]
	return b, nil
}

func (c *taped) WriteMessages(...[]byte) error { return nil }
func (c *taped) HandshakeHash() (h [64]byte)   { return h }
func (c *taped) Initiator() bool               { return false }
func (c *taped) RemoteKey() []byte             { return []byte("taped") }
func (c *taped) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// fixture is a store with a core that is written and one that is read, the same in each run.
type fixture struct {
	set           *Set
	store         *corestore.Store
	written, read *core.Core
	other         *core.Core // the source of what is read
	prelude       [][]byte   // opens channels for both
}

// open makes the stores; a copy of the written core of one is read in the other.
func openFixture(t testing.TB) *fixture {
	x := &fixture{set: New(Options{})}
	var stores []*corestore.Store
	for i, o := range []corestore.Options{{PrimaryKey: keys.PrimaryKey{1}, Source: x.set}, {PrimaryKey: keys.PrimaryKey{2}}} {
		db := datastore.NewMemory(datastore.Options{})
		s, err := corestore.Open(t.Context(), db, o)
		if err != nil {
			t.Fatal(i, err)
		}
		t.Cleanup(func() { s.Close(); db.Close() })
		stores = append(stores, s)
	}
	x.store = stores[0]
	for i, c := range []**core.Core{&x.written, &x.other} {
		var err error
		if *c, err = stores[i].Open(t.Context(), corestore.Name("log")); err != nil {
			t.Fatal(err)
		}
		grow(t, *c, 30)
	}
	var err error
	if x.read, err = x.store.Open(t.Context(), corestore.Key(x.other.Key())); err != nil {
		t.Fatal(err)
	}
	for i, c := range []*core.Core{x.written, x.read} {
		x.prelude = append(x.prelude, opening(uint64(i+1), c.Key()))
	}
	return x
}

// opening is the message by which the other side opens a channel.
func opening(number uint64, key keys.Key) []byte {
	d := key.Discovery()
	b := compact.AppendString(compact.AppendUint(nil, number), wire.Protocol)
	b = compact.AppendOptionalBuffer(b, d[:])
	b = append(b, wire.Handshake{Seeks: true, Capability: wire.Capability(new([64]byte), true, key)}.Append(nil)...)
	return mux.AppendMessage(nil, mux.Message{Type: 1, Payload: b})
}

// split makes frames of a tape: each is its length in two bytes, and itself.
func split(tape []byte) (frames [][]byte) {
	for len(tape) >= 2 {
		n := min(int(binary.LittleEndian.Uint16(tape)), len(tape)-2)
		frames = append(frames, tape[2:2+n])
		tape = tape[2+n:]
	}
	return frames
}

// tape is the inverse of split.
func tape(msgs ...mux.Message) (b []byte) {
	for _, m := range msgs {
		frame := mux.AppendMessage(nil, m)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(frame)))
		b = append(b, frame...)
	}
	return b
}

// seeds are what an orderly peer sends: its head and blocks, answers, and requests.
func (x *fixture) seeds(f *testing.F) {
	say := func(channel uint64, typ wire.Type, payload []byte) mux.Message {
		return mux.Message{Channel: channel, Type: uint64(typ), Payload: payload}
	}
	head := wire.Sync{Length: 30, CanUpgrade: true, Uploading: true, Downloading: true, HasManifest: true}
	hello := []mux.Message{say(2, wire.TypeSync, head.Append(nil)), say(2, wire.TypeRange, wire.Range{Length: 30}.Append(nil))}
	f.Add([]byte{})
	f.Add(tape(hello...))
	for i := range uint64(4) {
		p, err := x.other.Prove(f.Context(), &merkle.Request{
			ID: i + 1, Manifest: true, Upgrade: &merkle.UpgradeRequest{Length: 30}, Block: &merkle.BlockRequest{Index: 7 * i},
		})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(tape(append(hello, say(2, wire.TypeData, merkle.AppendProof(nil, p)))...))
	}
	ask := &merkle.Request{ID: 1, Block: &merkle.BlockRequest{Index: 3}, Upgrade: &merkle.UpgradeRequest{Length: 30}, Manifest: true}
	f.Add(tape(
		say(1, wire.TypeSync, wire.Sync{Downloading: true}.Append(nil)), say(1, wire.TypeWant, wire.Want{Length: 100}.Append(nil)),
		say(1, wire.TypeRequest, merkle.AppendRequest(nil, ask)), say(1, wire.TypeCancel, wire.Cancel{Request: 1}.Append(nil)),
		say(1, wire.TypeExtension, wire.Extension{Name: "x", Payload: []byte("y")}.Append(nil)),
		say(2, wire.TypeNoData, wire.NoData{Request: 1, Reason: wire.ReasonInvalid}.Append(nil)),
		say(2, wire.TypeBitfield, wire.Bitfield{Bits: make([]byte, 16)}.Append(nil)),
		say(2, wire.TypeRange, wire.Range{Drop: true, Start: 3, Length: 1 << 40}.Append(nil)),
	))
}

// A session that hears anything whatever, after channels were opened in order, ends, keeps what it has and does not grow.
func FuzzReceive(f *testing.F) {
	x := openFixture(f)
	x.seeds(f)
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		for ctx.Err() == nil {
			_ = x.read.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: 31}}}) // one more than there are
		}
	})
	f.Cleanup(func() { cancel(); work.Wait() })
	var m meter
	f.Fuzz(func(t *testing.T, data []byte) {
		conn := &taped{frames: append(x.prelude[:2:2], split(data)...), closed: make(chan struct{})}
		_ = x.set.Serve(t.Context(), conn, x.store.Find) // it may end as it likes
		if n := x.set.Streams(); n > 0 {
			t.Fatalf("%d streams are left", n)
		}
		if x.written.Conflict() != nil || x.written.Head().Length != 30 || x.read.Conflict() != nil || x.read.Head().Length > 30 {
			t.Fatalf("%v, %v", x.written.Head(), x.read.Head())
		}
		if m.again() {
			if err := x.read.Clear(t.Context(), 0, 30); err != nil {
				t.Fatal(err)
			}
			m.weigh(t)
		}
	})
}

// meter sees that the memory that is in use does not grow.
type meter struct {
	runs int
	base uint64
}

// again tells whether it is time to look.
func (m *meter) again() bool {
	m.runs++
	return m.runs%4096 == 0
}

func (m *meter) weigh(t *testing.T) {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	if m.base == 0 {
		m.base = s.HeapAlloc
	} else if s.HeapAlloc > m.base+8<<20 {
		t.Fatalf("%d bytes are in use after %d runs, %d at first", s.HeapAlloc, m.runs, m.base)
	}
}
