package merkle_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/vectors"
)

// goldenMessages calls f with the messages of the golden data, at most n of each kind.
func goldenMessages(f *testing.F, n int, request, answer func([]byte)) {
	var v proofVectors
	vectors.Load(f, "proofs.json", &v)
	for _, c := range v.Cases {
		for _, s := range c.Steps[:min(n, len(c.Steps))] {
			request(s.RequestHex)
			answer(s.DataHex)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	goldenMessages(f, 3, func(b []byte) { f.Add(b) }, func([]byte) {})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := merkle.DecodeRequest(b)
		if err != nil {
			if !errors.Is(err, merkle.ErrInvalidRequest) {
				t.Fatal(err)
			}
			return
		}
		once := merkle.AppendRequest(nil, q)
		back, err := merkle.DecodeRequest(once)
		if err != nil || !bytes.Equal(merkle.AppendRequest(nil, back), once) {
			t.Fatalf("%x became %x, %v", b, once, err)
		}
		l := newLog(nil, q.Fork, [][]byte{{1}, {2, 2}, nil, {3}, {4}})
		if p, err := l.prove(q); err == nil && merkle.AppendProof(nil, p) == nil {
			t.Fatal("an empty message")
		}
	})
}

func FuzzDecodeProof(f *testing.F) {
	goldenMessages(f, 3, func([]byte) {}, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := merkle.DecodeProof(b)
		if err != nil {
			if !errors.Is(err, merkle.ErrInvalidProof) {
				t.Fatal(err)
			}
			return
		}
		once := merkle.AppendProof(nil, p)
		back, err := merkle.DecodeProof(once)
		if err != nil || !bytes.Equal(merkle.AppendProof(nil, back), once) {
			t.Fatalf("%x became %x, %v", b, once, err)
		}
		if len(once) > len(b) || len(once) > p.Size() {
			t.Fatalf("%d bytes became %d, size says %d", len(b), len(once), p.Size())
		}
		for _, auth := range []merkle.Authority{nil, anyone{}} {
			if _, err := merkle.CheckRemote(auth, p); err != nil && !errors.Is(err, merkle.ErrInvalidProof) {
				t.Fatal(err)
			}
		}
	})
}

// FuzzCheck mutates an honest answer: bytes of it are replaced at a place.
func FuzzCheck(f *testing.F) {
	s := sealed{newLog(nil, 0, [][]byte{{1}, {2, 2}, nil, {3}, {4}, {5, 5, 5}, {6}, {7}, {8}, {9}, {10}})}
	for kind := range uint8(6) {
		f.Add(kind, uint16(3), []byte{1})
		f.Add(kind, uint16(40), []byte{0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, kind uint8, at uint16, with []byte) {
		a := fuzzAttempt(t, s, kind)
		a.expect()
		data := append([]byte(nil), a.data...)
		copy(data[int(at)%len(data):], with)
		p, err := merkle.DecodeProof(data)
		if err != nil {
			return
		}
		if err := a.tryProof(p, false); err != nil && !claimsOnly(a, p) {
			t.Fatal(err)
		}
	})
}

// claimsOnly reports whether a proof that led to another state did so by marked sizes alone.
func claimsOnly(a *attempt, p *merkle.Proof) bool {
	v, err := merkle.Check(a.reader, &a.reader.tree, a.reader.auth, p)
	return err == nil && a.onlyClaims(v) == nil
}

// fuzzAttempt makes one of six kinds of answers.
func fuzzAttempt(t *testing.T, s sealed, kind uint8) *attempt {
	have := uint64(7)
	q := &merkle.Request{Block: &merkle.BlockRequest{Index: 2, Nodes: 3}}
	switch kind % 6 {
	case 0:
		have, q = 0, lengthen(0, 11)
	case 1:
		have, q = 0, lengthen(0, 6)
		q.Block = &merkle.BlockRequest{Index: 1}
	case 2:
		q = lengthen(7, 9)
		q.Seek = &merkle.SeekRequest{Bytes: 11}
	case 3:
		q = lengthen(7, 11)
		q.Block = &merkle.BlockRequest{Index: 1, Nodes: 2}
		q.Seek = &merkle.SeekRequest{Bytes: 3}
	case 4:
		q = &merkle.Request{Hash: &merkle.HashRequest{Index: 2, Nodes: 3}}
	}
	r := s.at(t, 11)
	if have < 11 && q.Upgrade != nil {
		r = s.at(t, have)
	}
	return newAttempt(t, r, s.answer(t, q))
}

func FuzzConflictProof(f *testing.F) {
	ours, theirs := branches(f)
	c := &merkle.ConflictProof{Key: [32]byte{7}, Manifest: []byte("manifest"), A: ours.mustProve(f, lengthen(0, 5)), B: theirs.mustProve(f, lengthen(0, 5))}
	f.Add(merkle.AppendConflictProof(nil, c))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := merkle.DecodeConflictProof(b)
		if err != nil {
			if !errors.Is(err, merkle.ErrInvalidProof) {
				t.Fatal(err)
			}
			return
		}
		once := merkle.AppendConflictProof(nil, c)
		if back, err := merkle.DecodeConflictProof(once); err != nil || !bytes.Equal(merkle.AppendConflictProof(nil, back), once) {
			t.Fatalf("%x became %x, %v", b, once, err)
		}
		err = c.Verify(func([32]byte, []byte) (merkle.Authority, error) { return ours.signer, nil })
		if err == nil || errors.Is(err, merkle.ErrNoConflict) || errors.Is(err, merkle.ErrInvalidProof) {
			return
		}
		t.Fatal(err)
	})
}
