package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/vectors"
)

type wireFile struct {
	MessageTypes  map[string]any                 `json:"messageTypes"`
	Messages      map[string][]goldenMessage     `json:"messages"`
	MessageDecode map[string][]goldenDecode      `json:"messageDecode"`
	Capability    []goldenCapability             `json:"capability"`
	Sessions      []struct{ Frames []goldenSet } `json:"sessions"`
}

type goldenMessage struct {
	Message goldenFields `json:"message"`
	Hex     vectors.Hex  `json:"hex"`
	Decoded goldenFields `json:"decoded"`
}

type goldenDecode struct {
	Hex   vectors.Hex   `json:"hex"`
	Value *goldenFields `json:"value"`
	Error string        `json:"error"`
}

type goldenCapability struct {
	Key           vectors.Hex `json:"key"`
	HandshakeHash vectors.Hex `json:"handshakeHash"`
	Initiator     vectors.Hex `json:"initiator"`
	Responder     vectors.Hex `json:"responder"`
}

type goldenSet struct {
	Messages []struct {
		Control   string
		Name      string
		Handshake *goldenFields
		Message   goldenFields
	} `json:"messages"`
}

// goldenFields are the fields of all messages; those that a message has decide what it is.
type goldenFields struct {
	Seeks                                                      bool
	Capability                                                 vectors.Hex
	ID, Fork, Length, RemoteLength, Request, Reason, Start     uint64
	Priority                                                   uint64
	CanUpgrade, Uploading, Downloading, HasManifest, AllowPush bool
	Drop, Any                                                  bool
	Name                                                       string
	Block, Hash, Seek, Upgrade, Manifest, Message, Bitfield    json.RawMessage
}

// part decodes a field that is an object or null.
func part[T any](t *testing.T, raw json.RawMessage) (v *T) {
	t.Helper()
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("golden data: %v", err)
	}
	return v
}

func (g *goldenFields) request(t *testing.T) *merkle.Request {
	manifest := part[bool](t, g.Manifest)
	return &merkle.Request{
		ID: g.ID, Fork: g.Fork, Priority: g.Priority, Manifest: manifest != nil && *manifest,
		Block: part[merkle.BlockRequest](t, g.Block), Hash: part[merkle.HashRequest](t, g.Hash),
		Seek: part[merkle.SeekRequest](t, g.Seek), Upgrade: part[merkle.UpgradeRequest](t, g.Upgrade),
	}
}

type goldenNode struct {
	Index, Size uint64
	Hash        vectors.Hex
}

type goldenProof struct {
	Index, Bytes, Start, Length uint64
	Value, Signature            vectors.Hex
	Nodes, AdditionalNodes      []goldenNode
}

func nodes(t *testing.T, in []goldenNode) (out []merkle.Node) {
	for _, n := range in {
		out = append(out, merkle.Node{Index: n.Index, Size: n.Size, Hash: n.Hash.Array32(t)})
	}
	return out
}

func (g *goldenFields) proof(t *testing.T) *merkle.Proof {
	p := &merkle.Proof{Request: g.Request, Fork: g.Fork}
	if s := part[goldenProof](t, g.Block); s != nil {
		p.Block = &merkle.BlockProof{Index: s.Index, Value: s.Value, Nodes: nodes(t, s.Nodes)}
	}
	if s := part[goldenProof](t, g.Hash); s != nil {
		p.Hash = &merkle.HashProof{Index: s.Index, Nodes: nodes(t, s.Nodes)}
	}
	if s := part[goldenProof](t, g.Seek); s != nil {
		p.Seek = &merkle.SeekProof{Bytes: s.Bytes, Nodes: nodes(t, s.Nodes)}
	}
	if s := part[goldenProof](t, g.Upgrade); s != nil {
		p.Upgrade = &merkle.UpgradeProof{Start: s.Start, Length: s.Length, Nodes: nodes(t, s.Nodes),
			Additional: nodes(t, s.AdditionalNodes), Signature: s.Signature}
	}
	if m := part[vectors.Hex](t, g.Manifest); m != nil {
		p.Manifest = *m
	}
	return p
}

func (g *goldenFields) bitfield(t *testing.T) Bitfield {
	s := part[struct {
		Words int
		Hex   vectors.Hex
	}](t, g.Bitfield)
	if s == nil {
		t.Fatal("golden data: a bitfield without bits")
	}
	m := Bitfield{Start: g.Start}
	if s.Words > 0 {
		m.Bits = append(s.Hex, make([]byte, s.Words*4-len(s.Hex))...)
	}
	return m
}

func (g *goldenFields) extension(t *testing.T) Extension {
	m := Extension{Name: g.Name}
	if b := part[vectors.Hex](t, g.Message); b != nil {
		m.Payload = *b
	}
	return m
}

func (g *goldenFields) sync() Sync {
	return Sync{Fork: g.Fork, Length: g.Length, RemoteLength: g.RemoteLength, CanUpgrade: g.CanUpgrade, Uploading: g.Uploading,
		Downloading: g.Downloading, HasManifest: g.HasManifest, AllowPush: g.AllowPush}
}

// encode appends the message that the fields of kind name.
func (g *goldenFields) encode(t *testing.T, kind string) []byte {
	t.Helper()
	switch kind {
	case "handshake":
		return Handshake{Seeks: g.Seeks, Capability: g.Capability.Array32(t)}.Append(nil)
	case "sync":
		return g.sync().Append(nil)
	case "request":
		return merkle.AppendRequest(nil, g.request(t))
	case "cancel":
		return Cancel{g.Request}.Append(nil)
	case "data":
		return merkle.AppendProof(nil, g.proof(t))
	case "noData":
		return NoData{g.Request, Reason(g.Reason)}.Append(nil)
	case "want", "unwant":
		return Want{g.Start, g.Length, g.Any}.Append(nil)
	case "bitfield":
		return g.bitfield(t).Append(nil)
	case "range":
		return Range{g.Drop, g.Start, g.Length}.Append(nil)
	case "extension":
		return g.extension(t).Append(nil)
	}
	t.Fatalf("golden data: a message %q", kind)
	return nil
}

// reencode decodes a message and encodes what it got.
func reencode(kind string, b []byte) ([]byte, error) {
	switch kind {
	case "handshake":
		m, err := DecodeHandshake(b)
		return m.Append(nil), err
	case "sync":
		m, err := DecodeSync(b)
		return m.Append(nil), err
	case "request":
		m, err := merkle.DecodeRequest(b)
		if err != nil {
			return nil, err
		}
		return merkle.AppendRequest(nil, m), nil
	case "cancel":
		m, err := DecodeCancel(b)
		return m.Append(nil), err
	case "data":
		m, err := merkle.DecodeProof(b)
		if err != nil {
			return nil, err
		}
		return merkle.AppendProof(nil, m), nil
	case "noData":
		m, err := DecodeNoData(b)
		return m.Append(nil), err
	case "want", "unwant":
		m, err := DecodeWant(b)
		return m.Append(nil), err
	case "bitfield":
		m, err := DecodeBitfield(b)
		return m.Append(nil), err
	case "range":
		m, err := DecodeRange(b)
		return m.Append(nil), err
	case "extension":
		m, err := DecodeExtension(b)
		return m.Append(nil), err
	}
	return nil, fmt.Errorf("no message %q", kind)
}

func load(t testing.TB) (w wireFile) {
	t.Helper()
	vectors.Load(t, "wire.json", &w)
	return w
}

func kinds() []string {
	all := []string{"handshake"}
	for k := TypeSync; k <= TypeExtension; k++ {
		all = append(all, k.String())
	}
	return all
}

func TestVectorsMessages(t *testing.T) {
	w := load(t)
	for _, kind := range kinds() {
		if len(w.Messages[kind]) == 0 {
			t.Errorf("no %s in the golden data", kind)
		}
	}
	for kind, cases := range w.Messages {
		for i, c := range cases {
			if got := c.Message.encode(t, kind); !bytes.Equal(got, c.Hex) {
				t.Errorf("%s %d: encoded %x, want %v", kind, i, got, c.Hex)
			}
			checkDecode(t, fmt.Sprintf("%s %d", kind, i), kind, c.Hex, &c.Decoded)
		}
	}
}

// checkDecode tells decoded messages apart by what they encode as, which is one to one.
func checkDecode(t *testing.T, name, kind string, b []byte, want *goldenFields) {
	t.Helper()
	got, err := reencode(kind, b)
	if err != nil || !bytes.Equal(got, want.encode(t, kind)) {
		t.Errorf("%s: %x decoded as %x, want %x, error %v", name, b, got, want.encode(t, kind), err)
	}
}

func TestVectorsMessageDecode(t *testing.T) {
	w := load(t)
	if len(w.MessageDecode) == 0 {
		t.Fatal("no cases")
	}
	for kind, cases := range w.MessageDecode {
		if len(cases) == 0 {
			t.Errorf("no %s", kind)
		}
		for i, c := range cases {
			name := fmt.Sprintf("%s %d", kind, i)
			if c.Error == "" {
				checkDecode(t, name, kind, c.Hex, c.Value)
			} else if _, err := reencode(kind, c.Hex); err == nil {
				t.Errorf("%s: %v is accepted, want %q", name, c.Hex, c.Error)
			}
		}
	}
}

func TestVectorsMessageTypes(t *testing.T) {
	w := load(t)
	if len(w.MessageTypes) == 0 {
		t.Fatal("no types")
	}
	for k := TypeSync; k <= TypeExtension; k++ {
		if got := fmt.Sprint(w.MessageTypes[k.String()]); got != fmt.Sprint(uint64(k)) {
			t.Errorf("%v is type %d, want %s", k, uint64(k), got)
		}
	}
	for name := range w.MessageTypes {
		if name != "handshake" && len(w.Messages[name]) == 0 {
			t.Errorf("no message %q", name)
		}
	}
}

func TestVectorsCapability(t *testing.T) {
	w := load(t)
	if len(w.Capability) == 0 {
		t.Fatal("no capabilities")
	}
	for i, c := range w.Capability {
		hash, key := [64]byte(c.HandshakeHash), keys.Key(c.Key.Array32(t))
		for initiator, want := range map[bool]vectors.Hex{true: c.Initiator, false: c.Responder} {
			if got := Capability(&hash, initiator, key); !bytes.Equal(got[:], want) {
				t.Errorf("%d, initiator %v: %x, want %v", i, initiator, got, want)
			}
			h := Handshake{Capability: want.Array32(t)}
			if !h.Proves(&hash, initiator, key) || h.Proves(&hash, !initiator, key) {
				t.Errorf("%d, initiator %v: wrong verdict", i, initiator)
			}
			other := key
			other[i%32] ^= 1
			if h.Proves(&hash, initiator, other) {
				t.Errorf("%d: proves another key", i)
			}
		}
	}
}

func TestVectorsSessionMessages(t *testing.T) {
	n := 0
	for _, s := range load(t).Sessions {
		for _, f := range s.Frames {
			for _, m := range f.Messages {
				kind, fields := m.Name, &m.Message
				if m.Control == "open" {
					kind, fields = "handshake", m.Handshake
				} else if m.Control != "" {
					continue
				}
				n++
				b := fields.encode(t, kind)
				checkDecode(t, kind, kind, b, fields)
			}
		}
	}
	if n == 0 {
		t.Fatal("no messages in the sessions")
	}
}
