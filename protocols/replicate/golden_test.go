package replicate

import (
	"bytes"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/internal/vectors"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// goldenSession is what two JavaScript peers said to each other.
type goldenSession struct {
	Name          string
	HandshakeHash vectors.Hex
	Cores         []goldenCore
	Frames        []goldenFrame
}

type goldenCore struct {
	Key, DiscoveryKey          vectors.Hex
	InitiatorHas, ResponderHas uint64
}

type goldenFrame struct {
	From string
	Hex  vectors.Hex
}

func (c *goldenCore) discovery(t testing.TB) keys.DiscoveryKey {
	return keys.DiscoveryKey(c.DiscoveryKey.Array32(t))
}

// has is the length of the core in the end, at one side.
func (c *goldenCore) has(side string) uint64 {
	if side == initiates {
		return c.InitiatorHas
	}
	return c.ResponderHas
}

// The two sides.
const (
	initiates = "initiator"
	responds  = "responder"
)

func otherThan(side string) string {
	if side == initiates {
		return responds
	}
	return initiates
}

// speech is what one side says: it knows which core a channel is about.
type speech struct {
	t      testing.TB
	opened map[uint64]keys.DiscoveryKey
}

func newSpeech(t testing.TB) *speech { return &speech{t, map[uint64]keys.DiscoveryKey{}} }

// spoken is a message about a core.
type spoken struct {
	mux.Message
	core keys.DiscoveryKey
}

// parse returns the messages of a frame that are about cores.
func (s *speech) parse(frame []byte) (list []spoken) {
	s.t.Helper()
	for m, err := range mux.Messages(frame) {
		if err != nil {
			s.t.Fatal(err)
		}
		m.Payload = bytes.Clone(m.Payload)
		if m.Channel > 0 {
			list = append(list, spoken{m, s.opened[m.Channel]})
		} else if m.Type == 1 {
			d := compact.NewDecoder(m.Payload)
			number := d.Uint()
			d.Buffer() // protocol
			s.opened[number] = keys.DiscoveryKey(d.OptionalBuffer())
		}
	}
	return list
}

// said returns what a side said of a type, about a core or about all.
func (g *goldenSession) said(t testing.TB, side string, typ wire.Type, of ...keys.DiscoveryKey) (list []spoken) {
	s := newSpeech(t)
	for _, f := range g.Frames {
		if f.From != side {
			continue
		}
		for _, m := range s.parse(f.Hex) {
			if wire.Type(m.Type) == typ && (len(of) == 0 || m.core == of[0]) {
				list = append(list, m)
			}
		}
	}
	return list
}

// proofs returns the answers that a side gave about a core.
func (g *goldenSession) proofs(t testing.TB, side string, of keys.DiscoveryKey) (list []*merkle.Proof) {
	t.Helper()
	for _, m := range g.said(t, side, wire.TypeData, of) {
		list = append(list, proofOf(t, m.Payload))
	}
	return list
}

func proofOf(t testing.TB, b []byte) *merkle.Proof {
	t.Helper()
	p, err := merkle.DecodeProof(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func requestOf(t testing.TB, b []byte) *merkle.Request {
	t.Helper()
	q, err := merkle.DecodeRequest(b)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// compat tells whether nobody has a manifest of a core.
func (g *goldenSession) compat(t testing.TB, of keys.DiscoveryKey) bool {
	return !slices.ContainsFunc(slices.Concat(g.said(t, initiates, wire.TypeSync, of), g.said(t, responds, wire.TypeSync, of)), func(m spoken) bool {
		s, err := wire.DecodeSync(m.Payload)
		return err == nil && s.HasManifest
	})
}

// shown tells whether a reader that knows the key alone can check what is said of a core: the session shows its manifest, or it
// has none.
func (g *goldenSession) shown(t testing.TB, of keys.DiscoveryKey) bool {
	return g.compat(t, of) || slices.ContainsFunc(slices.Concat(g.proofs(t, initiates, of), g.proofs(t, responds, of)),
		func(p *merkle.Proof) bool { return p.Manifest != nil })
}
