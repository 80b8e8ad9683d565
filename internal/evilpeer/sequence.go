package evilpeer

import (
	"math/rand/v2"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// Script makes frames for a session: each may be right, wrong, or right at another time.
type Script struct {
	rng    *rand.Rand
	hash   [64]byte
	cores  []keys.Key
	proofs []*merkle.Proof
	opened int // channels
}

// NewScript returns a script by a seed, for a stream with this handshake hash whose other side dialled not. It speaks
// of cores, and has proofs to send.
func NewScript(seed uint64, hash [64]byte, cores []keys.Key, proofs []*merkle.Proof) *Script {
	return &Script{rng: rand.New(rand.NewPCG(seed, 7)), hash: hash, cores: cores, proofs: proofs}
}

// Frame returns the next frame.
func (s *Script) Frame() []byte {
	if s.rng.IntN(8) > 0 {
		return s.damage(mux.AppendMessage(nil, s.message()))
	}
	msgs := make([]mux.Message, 1+s.rng.IntN(6))
	for i := range msgs {
		msgs[i] = s.message()
	}
	return s.damage(mux.AppendBatch(nil, msgs))
}

// damage spoils one frame in some hundred.
func (s *Script) damage(b []byte) []byte {
	if len(b) == 0 || s.rng.IntN(300) > 0 {
		return b
	}
	switch i := s.rng.IntN(len(b)); s.rng.IntN(3) {
	case 0:
		b[i] ^= byte(1 + s.rng.IntN(255))
	case 1:
		b = b[:i+1]
	case 2:
		b = append(b[:i:i], append([]byte{0xff}, b[i:]...)...)
	}
	return b
}

// number is small, or one of those at which things change.
func (s *Script) number() uint64 {
	odd := []uint64{0, 1, 252, 253, 1 << 16, 1<<21 - 1, 1 << 21, 1 << 32, 1 << 40, most - 1, most}
	if s.rng.IntN(5) == 0 {
		return odd[s.rng.IntN(len(odd))]
	}
	return s.rng.Uint64N(40)
}

func (s *Script) flag() bool { return s.rng.IntN(2) == 0 }

// channel is mostly one that may be open.
func (s *Script) channel() uint64 { return 1 + s.rng.Uint64N(3) }

func (s *Script) message() mux.Message {
	switch n := s.rng.IntN(100); {
	case s.opened < len(s.cores) && n < 50:
		s.opened++
		return s.open(uint64(s.opened), s.cores[s.opened-1])
	case n == 50:
		return s.control()
	}
	typ := wire.Type(s.rng.IntN(11))
	return message(s.channel(), typ, s.body(typ))
}

// control is a control message out of its turn.
func (s *Script) control() mux.Message {
	switch s.rng.IntN(4) {
	case 0:
		return control(uint64(s.rng.IntN(5)), s.number())
	case 1:
		return s.open(s.channel(), s.cores[s.rng.IntN(len(s.cores))])
	}
	return control(controlClose, s.channel())
}

func (s *Script) open(number uint64, key keys.Key) mux.Message {
	proof := wire.Handshake{Seeks: s.flag(), Capability: wire.Capability(&s.hash, true, key)}
	if s.rng.IntN(50) == 0 {
		proof.Capability[3] ^= 1
	}
	d := key.Discovery()
	return open(number, wire.Protocol, d[:], proof.Append(nil))
}

func (s *Script) body(typ wire.Type) []byte {
	switch typ {
	case wire.TypeSync:
		return wire.Sync{
			Fork: s.rng.Uint64N(2) * s.number(), Length: s.number(), RemoteLength: s.number(), CanUpgrade: s.flag(), Uploading: s.flag(),
			Downloading: s.flag(), HasManifest: s.flag(), AllowPush: s.flag(),
		}.Append(nil)
	case wire.TypeRequest:
		return merkle.AppendRequest(nil, s.request())
	case wire.TypeCancel:
		return wire.Cancel{Request: s.number()}.Append(nil)
	case wire.TypeData:
		return merkle.AppendProof(nil, s.proof())
	case wire.TypeNoData:
		return wire.NoData{Request: s.number(), Reason: wire.Reason(s.rng.IntN(4))}.Append(nil)
	case wire.TypeWant, wire.TypeUnwant:
		return wire.Want{Start: s.number(), Length: s.number(), Any: s.flag()}.Append(nil)
	case wire.TypeBitfield:
		b := make([]byte, 4*s.rng.IntN(20))
		for i := range b {
			b[i] = byte(s.rng.Uint32())
		}
		return wire.Bitfield{Start: s.number(), Bits: b}.Append(nil)
	case wire.TypeRange:
		return wire.Range{Drop: s.flag(), Start: s.number(), Length: s.number()}.Append(nil)
	case wire.TypeExtension:
		return wire.Extension{Name: string(rune('a' + s.rng.IntN(3))), Payload: make([]byte, s.rng.IntN(50))}.Append(nil)
	}
	return []byte{1, 2, 3}
}

func (s *Script) request() *merkle.Request {
	q := &merkle.Request{ID: s.number(), Fork: s.rng.Uint64N(2), Manifest: s.flag(), Priority: s.rng.Uint64N(2)}
	if s.flag() {
		q.Block = &merkle.BlockRequest{Index: s.number(), Nodes: s.number()}
	}
	if s.rng.IntN(4) == 0 {
		q.Hash = &merkle.HashRequest{Index: s.number(), Nodes: s.number()}
	}
	if s.rng.IntN(4) == 0 {
		q.Seek = &merkle.SeekRequest{Bytes: s.number(), Padding: s.rng.Uint64N(20)}
	}
	if s.rng.IntN(3) == 0 {
		q.Upgrade = &merkle.UpgradeRequest{Start: s.number(), Length: s.number()}
	}
	return q
}

// proof is one of those that there are, under another number, and now and then not as it was.
func (s *Script) proof() *merkle.Proof {
	p := *s.proofs[s.rng.IntN(len(s.proofs))]
	p.Request = s.rng.Uint64N(30)
	switch s.rng.IntN(8) {
	case 0:
		p.Fork = s.rng.Uint64N(3)
	case 1:
		p.Upgrade = nil
	case 2:
		p.Block = nil
	case 3:
		p.Manifest = nil
	}
	return &p
}
