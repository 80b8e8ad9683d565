package core

import (
	"fmt"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
)

// Record is what a store knows of a core without opening it.
type Record struct {
	// Key is the core's public key.
	Key keys.Key
	// Manifest is the encoded manifest, nil while it is unknown.
	Manifest []byte
	// Origin is what the opener wrote to find the key pair again, see Options.Origin.
	Origin []byte
	// Compat: a Hypercore 10 core, whose key is its signer's.
	Compat bool
	// Frozen: a conflict was found.
	Frozen bool
	// Encrypted: this node appends to it with encryption.
	Encrypted bool

	id     uint64
	secret bool // the seed lies among the store's secrets
}

const recordVersion = 1

const (
	recordCompat = 1 << iota
	recordFrozen
	recordEncrypted
	recordSecret
)

func (r *Record) encode() []byte {
	flags := uint64(0)
	for _, f := range []struct {
		on  bool
		bit uint64
	}{{r.Compat, recordCompat}, {r.Frozen, recordFrozen}, {r.Encrypted, recordEncrypted}, {r.secret, recordSecret}} {
		if f.on {
			flags |= f.bit
		}
	}
	b := compact.AppendUint(nil, recordVersion)
	b = compact.AppendUint(b, flags)
	b = compact.AppendUint(b, r.id)
	b = append(b, r.Key[:]...)
	b = compact.AppendBuffer(b, r.Manifest)
	return compact.AppendBuffer(b, r.Origin)
}

func decodeRecord(b []byte) (*Record, error) {
	d := compact.NewDecoder(b)
	if v := d.Uint(); v != recordVersion && d.Err() == nil {
		return nil, fmt.Errorf("core: record of version %d", v)
	}
	flags := d.Uint()
	r := &Record{
		id: d.Uint(), Key: d.Fixed32(), Manifest: d.Buffer(), Origin: d.Buffer(),
		Compat: flags&recordCompat != 0, Frozen: flags&recordFrozen != 0,
		Encrypted: flags&recordEncrypted != 0, secret: flags&recordSecret != 0,
	}
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("core: record: %w", err)
	}
	return r, nil
}

// state is the published state of a log. It is never changed, only replaced.
type state struct {
	fork, length, byteLength uint64
	// treeHash binds the roots to the head: roots that were read from the store must hash to it.
	treeHash merkle.Hash
	// signature is nil for a log of length 0 that was never cut, and for static cores.
	signature []byte
	// contiguous is the number of leading blocks that are held.
	contiguous uint64
	// From since on, up to recover, all blocks must be held before this writer may append: it signed them, and forgot. See
	// ErrRolledBack. Both are 0 when there are none.
	since, recover uint64

	// roots are read when they are needed first; they are not part of the stored head.
	roots []merkle.Node
}

const headVersion = 1

func (s *state) encode() []byte {
	b := make([]byte, 0, 160)
	b = compact.AppendUint(b, headVersion)
	b = compact.AppendUint(b, s.fork)
	b = compact.AppendUint(b, s.length)
	b = compact.AppendUint(b, s.byteLength)
	b = compact.AppendUint(b, s.contiguous)
	b = compact.AppendUint(b, s.recover)
	b = append(b, s.treeHash[:]...)
	b = compact.AppendBuffer(b, s.signature)
	if s.recover > 0 {
		b = compact.AppendUint(b, s.since)
	}
	return b
}

func decodeState(b []byte) (*state, error) {
	d := compact.NewDecoder(b)
	if v := d.Uint(); v != headVersion && d.Err() == nil {
		return nil, fmt.Errorf("core: head of version %d", v)
	}
	s := &state{
		fork: d.Uint(), length: d.Uint(), byteLength: d.Uint(), contiguous: d.Uint(), recover: d.Uint(),
		treeHash: d.Fixed32(), signature: d.OptionalBuffer(),
	}
	if s.recover > 0 && d.Len() > 0 {
		s.since = d.Uint()
	}
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("core: head: %w", err)
	}
	if s.contiguous > s.length || s.recover > s.length || s.since > s.recover {
		return nil, fmt.Errorf("core: head: %d, %d and %d of %d blocks", s.contiguous, s.since, s.recover, s.length)
	}
	return s, nil
}

// emptyState is the state of a log without blocks.
func emptyState() *state {
	t := merkle.Tree{}
	return &state{treeHash: t.Hash(), roots: []merkle.Node{}}
}

// withTree returns a state for a new tree that keeps what of s does not follow from it.
func (s *state) withTree(t *merkle.Tree, signature []byte) *state {
	return &state{
		fork: t.Fork, length: t.Length, byteLength: t.ByteLength, treeHash: t.Hash(), signature: signature,
		contiguous: s.contiguous, since: s.since, recover: s.recover, roots: t.Roots,
	}
}

// sameHead tells whether two states of one log have the same head.
func (s *state) sameHead(o *state) bool { return s.fork == o.fork && s.length == o.length }

// forget notes that this writer signed all blocks from an index on, and has not kept that in mind.
func (s *state) forget(from uint64) {
	if s.recover == 0 || from < s.since {
		s.since = from
	}
	s.recover = s.length
}

// setHeld sets how many leading blocks are held, and which one is missing from since on. Once all that this writer had forgotten
// is here, it may append.
func (s *state) setHeld(contiguous, missing uint64) {
	s.contiguous = contiguous
	if missing >= s.recover {
		s.since, s.recover = 0, 0
	}
}

// tree returns the roots as a tree. They must have been read.
func (s *state) tree() merkle.Tree {
	return merkle.Tree{Fork: s.fork, Length: s.length, ByteLength: s.byteLength, Roots: s.roots}
}
