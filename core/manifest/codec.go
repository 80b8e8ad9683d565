package manifest

import (
	"fmt"
	"math"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
)

// MaxVersion is the highest version that [Decode] reads.
const MaxVersion = 3

// Numbers of the only algorithms there are.
const (
	hashBlake2b = 0
	sigEd25519  = 0
)

// signerBytes is the size of an encoded signer: algorithm, namespace, public key.
const signerBytes = 1 + 32 + 32

// The flags of a manifest; version 0 has the first one only. Others are ignored.
const (
	flagAllowPatch = 1 << iota
	flagPrologue
	flagLinked
	flagUserData
)

// The forms of version 0.
const (
	type0Static = iota // a prologue without its length
	type0Single        // one signer
	type0Multi         // flags, quorum, signers
)

// Encode returns the bytes whose hash is the core's key. From version 1 on: version, flags, hash algorithm, quorum and
// signers, then prologue, linked cores and user data as far as the flags announce them.
func (m *Manifest) Encode() []byte {
	if m.Version == 0 {
		return m.encode0()
	}
	b := make([]byte, 0, 16+signerBytes*len(m.Signers)+48+32*len(m.Linked)+len(m.UserData))
	b = compact.AppendUint(b, uint64(m.Version))
	b = compact.AppendUint(b, m.flags())
	b = compact.AppendUint(b, hashBlake2b)
	b = compact.AppendUint(b, uint64(m.Quorum))
	b = m.appendSigners(b)
	if m.Prologue != nil {
		b = append(b, m.Prologue.Hash[:]...)
		b = compact.AppendUint(b, m.Prologue.Length)
	}
	if m.Linked != nil {
		b = compact.AppendUint(b, uint64(len(m.Linked)))
		for i := range m.Linked {
			b = append(b, m.Linked[i][:]...)
		}
	}
	if m.UserData != nil {
		b = compact.AppendBuffer(b, m.UserData)
	}
	return b
}

// encode0 returns version 0: a prologue is kept only without signers, and without its length.
func (m *Manifest) encode0() []byte {
	b := compact.AppendUint(make([]byte, 0, 16+signerBytes*len(m.Signers)), 0)
	b = compact.AppendUint(b, hashBlake2b)
	switch {
	case m.Prologue != nil && len(m.Signers) == 0:
		b = compact.AppendUint(b, type0Static)
		return append(b, m.Prologue.Hash[:]...)
	case m.Quorum == 1 && len(m.Signers) == 1 && !m.AllowPatch:
		b = compact.AppendUint(b, type0Single)
		return m.Signers[0].append(b)
	}
	b = compact.AppendUint(b, type0Multi)
	b = compact.AppendUint(b, m.flags()&flagAllowPatch)
	b = compact.AppendUint(b, uint64(m.Quorum))
	return m.appendSigners(b)
}

func (m *Manifest) flags() (f uint64) {
	if m.AllowPatch {
		f |= flagAllowPatch
	}
	if m.Prologue != nil {
		f |= flagPrologue
	}
	if m.Linked != nil {
		f |= flagLinked
	}
	if m.UserData != nil {
		f |= flagUserData
	}
	return f
}

func (m *Manifest) appendSigners(b []byte) []byte {
	b = compact.AppendUint(b, uint64(len(m.Signers)))
	for i := range m.Signers {
		b = m.Signers[i].append(b)
	}
	return b
}

func (s *Signer) append(b []byte) []byte {
	b = compact.AppendUint(b, sigEd25519)
	b = append(b, s.Namespace[:]...)
	return append(b, s.PublicKey[:]...)
}

// Decode reads a manifest of version 0 to 3, sharing nothing with b. Bytes behind it are ignored, as the format asks.
// Only the form is checked here: the quorum may be out of reach, a signer's key unusable. The error wraps [ErrInvalid].
func Decode(b []byte) (*Manifest, error) {
	var m Manifest
	d := compact.NewDecoder(b)
	version := d.Uint()
	switch {
	case version > MaxVersion:
		return nil, fmt.Errorf("%w %d", ErrVersion, version)
	case version == 0:
		m.decode0(d)
	default:
		m.Version = uint8(version)
		m.decode(d)
	}
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return &m, nil
}

func (m *Manifest) decode(d *compact.Decoder) {
	flags := d.Uint()
	only(d, "hash", hashBlake2b)
	m.AllowPatch = flags&flagAllowPatch != 0
	m.Quorum = quorum(d)
	m.Signers = signers(d)
	if flags&flagPrologue != 0 {
		m.Prologue = &merkle.Prologue{Hash: d.Fixed32(), Length: d.Uint()}
	}
	if flags&flagLinked != 0 {
		m.Linked = make([]keys.Key, d.Count(32))
		for i := range m.Linked {
			m.Linked[i] = d.Fixed32()
		}
	}
	if flags&flagUserData != 0 {
		m.UserData = append([]byte{}, d.Buffer()...)
	}
}

func (m *Manifest) decode0(d *compact.Decoder) {
	only(d, "hash", hashBlake2b)
	switch kind := d.Uint(); kind {
	case type0Static:
		m.Prologue = &merkle.Prologue{Hash: d.Fixed32()}
	case type0Single:
		m.Quorum, m.Signers = 1, []Signer{signer(d)}
	case type0Multi:
		m.AllowPatch = d.Uint()&flagAllowPatch != 0
		m.Quorum = quorum(d)
		m.Signers = signers(d)
	default:
		d.Fail(fmt.Errorf("unknown type %d", kind))
	}
}

// only refuses any algorithm but the one there is.
func only(d *compact.Decoder, what string, known uint64) {
	if id := d.Uint(); id != known {
		d.Fail(fmt.Errorf("unknown %s algorithm %d", what, id))
	}
}

func quorum(d *compact.Decoder) int {
	q := d.Uint()
	if q > math.MaxInt {
		d.Fail(compact.ErrRange)
		return 0
	}
	return int(q)
}

func signers(d *compact.Decoder) []Signer {
	n := d.Count(signerBytes)
	if n == 0 {
		return nil
	}
	list := make([]Signer, n)
	for i := range list {
		list[i] = signer(d)
	}
	return list
}

func signer(d *compact.Decoder) Signer {
	only(d, "signature", sigEd25519)
	return Signer{Namespace: d.Fixed32(), PublicKey: d.Fixed32()}
}
