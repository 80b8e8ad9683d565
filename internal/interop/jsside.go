package interop

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

// Store is a store in the process of a [Peer].
type Store struct {
	Peer   *Peer
	Handle int // by which commands name it
}

// Store makes a store on disk that is closed with the test.
func (p *Peer) Store(t testing.TB) *Store {
	t.Helper()
	return p.store(t, nil)
}

// StoreFrom is [Peer.Store] with a primary key.
func (p *Peer) StoreFrom(t testing.TB, primary keys.PrimaryKey) *Store {
	t.Helper()
	return p.store(t, primary[:])
}

func (p *Peer) store(t testing.TB, primary []byte) *Store {
	t.Helper()
	var r struct{ Handle int }
	if err := p.Command(t.Context(), "store.open", Args{"dir": t.TempDir(), "primaryKey": primary}, &r); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Command(context.Background(), "close", Args{"handle": r.Handle}, nil); err != nil {
			t.Error("closing a store: ", err)
		}
	})
	return &Store{Peer: p, Handle: r.Handle}
}

// Make implements Side.
func (s *Store) Make() string { return "JS" }

// Open implements Side.
func (s *Store) Open(ctx context.Context, spec Spec) (Log, error) {
	args := Args{"store": s.Handle, "name": spec.Name, "compat": spec.Compat}
	if !spec.Key.IsZero() {
		args["key"] = spec.Key[:]
	}
	if spec.Signer != (keys.Seed{}) {
		args["seed"] = spec.Signer[:]
	}
	if spec.Encryption != [32]byte{} {
		args["encryption"] = spec.Encryption[:]
	}
	l := &jsLog{peer: s.Peer}
	if len(spec.Signers) > 0 {
		var public [][]byte
		for i, seed := range spec.Signers {
			pair := keys.PairFromSeed(seed)
			public = append(public, pair.Public[:])
			if i < spec.Quorum {
				l.sign = append(l.sign, seed[:])
			}
		}
		args["signers"], args["quorum"] = public, spec.Quorum
	}
	return l, l.open(ctx, "core.open", args)
}

// Static implements Side.
func (s *Store) Static(ctx context.Context, of Log) (Log, error) {
	l := &jsLog{peer: s.Peer}
	return l, l.open(ctx, "core.static", Args{"store": s.Handle, "core": of.(*jsLog).handle})
}

// Listen implements Side.
func (s *Store) Listen(ctx context.Context, f Framing) (Link, error) {
	return s.link(ctx, "listen", Args{"store": s.Handle, "framed": framedArgs(f, false)})
}

// Dial implements Side.
func (s *Store) Dial(ctx context.Context, f Framing, port int) (Link, error) {
	return s.link(ctx, "dial", Args{"store": s.Handle, "port": port, "framed": framedArgs(f, true)})
}

func framedArgs(f Framing, dials bool) any {
	if f != Framed {
		return nil
	}
	local, remote := peerIDs(dials)
	return Args{"local": local, "remote": remote}
}

func (s *Store) link(ctx context.Context, command string, args Args) (Link, error) {
	l := &jsLink{peer: s.Peer}
	return l, s.Peer.Command(ctx, command, args, &l.at)
}

// jsLink is a connection of a JavaScript peer, or its listener.
type jsLink struct {
	peer *Peer
	at   struct{ Handle, Port int }
}

func (l *jsLink) Port() int { return l.at.Port }

func (l *jsLink) Close(ctx context.Context) error {
	return l.peer.Command(ctx, "close", Args{"handle": l.at.Handle}, nil)
}

// Handle returns the number by which commands name a log that a [Store] has opened.
func Handle(l Log) int { return l.(*jsLog).handle }

// jsLog is a core in a JavaScript peer.
type jsLog struct {
	peer   *Peer
	handle int
	sign   [][]byte
}

func (l *jsLog) open(ctx context.Context, command string, args Args) error {
	var r struct{ Handle int }
	err := l.peer.Command(ctx, command, args, &r)
	l.handle = r.Handle
	return err
}

// do has a command done with the core.
func (l *jsLog) do(ctx context.Context, command string, args Args, result any) error {
	args["core"] = l.handle
	return l.peer.Command(ctx, command, args, result)
}

func (l *jsLog) Append(ctx context.Context, blocks ...[]byte) error {
	return l.do(ctx, "core.append", Args{"blocks": blocks, "sign": l.sign}, nil)
}

func (l *jsLog) Truncate(ctx context.Context, length uint64) error {
	return l.do(ctx, "core.truncate", Args{"length": length, "sign": l.sign}, nil)
}

func (l *jsLog) Clear(ctx context.Context, start, end uint64) error {
	return l.do(ctx, "core.clear", Args{"start": start, "end": end}, nil)
}

func (l *jsLog) Get(ctx context.Context, i uint64) ([]byte, error) {
	var r struct{ Block []byte }
	err := l.do(ctx, "core.get", Args{"index": i, "ms": nil}, &r)
	return r.Block, err
}

func (l *jsLog) Download(ctx context.Context, start, end uint64) error {
	return l.do(ctx, "core.download", Args{"start": start, "end": end, "ms": nil}, nil)
}

func (l *jsLog) Reach(ctx context.Context, fork, length uint64) error {
	return l.do(ctx, "core.reach", Args{"fork": fork, "length": length, "ms": nil}, nil)
}

func (l *jsLog) Stored(ctx context.Context, start, end uint64) ([][]byte, error) {
	var r struct{ Blocks [][]byte }
	err := l.do(ctx, "core.read", Args{"start": start, "end": end}, &r)
	return r.Blocks, err
}

func (l *jsLog) State(ctx context.Context) (State, error) {
	var r struct {
		Key, Hash                            []byte
		Fork, Length, ByteLength, Contiguous uint64
		Held                                 []core.Range
	}
	if err := l.do(ctx, "core.state", Args{}, &r); err != nil {
		return State{}, err
	}
	if len(r.Key) != 32 || len(r.Hash) != 32 {
		return State{}, errors.New("interop: a core's state without key or tree hash")
	}
	return State{
		Key: keys.Key(r.Key), Hash: [32]byte(r.Hash),
		Fork: r.Fork, Length: r.Length, ByteLength: r.ByteLength, Contiguous: r.Contiguous, Held: r.Held,
	}, nil
}

func (l *jsLog) Unavailable(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Code == "REQUEST_TIMEOUT"
}

func (l *jsLog) Detail(ctx context.Context) string {
	var r json.RawMessage
	if err := l.do(ctx, "core.stats", Args{}, &r); err != nil {
		return err.Error()
	}
	return string(r)
}

func (l *jsLog) Close(ctx context.Context) error {
	return l.peer.Command(ctx, "close", Args{"handle": l.handle}, nil)
}
