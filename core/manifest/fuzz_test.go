package manifest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

func FuzzDecode(f *testing.F) {
	c := loadManifests(f)
	for _, m := range c.Manifest {
		f.Add([]byte(m.Encoded))
	}
	for _, m := range c.DecodeErrors {
		f.Add([]byte(m.Encoded))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || m != nil {
				t.Fatalf("%x: %+v, %v", b, m, err)
			}
			return
		}
		if len(m.Signers)*signerBytes+len(m.Linked)*32+len(m.UserData) > len(b) {
			t.Fatalf("%x: more than there is: %+v", b, m)
		}
		again, err := Decode(m.Encode())
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%x: %+v reads back as %+v, %v", b, m, again, err)
		}
		a, err := NewAuthority(m.Key(), m, Options{})
		if err != nil {
			if !errors.Is(err, ErrSigner) {
				t.Fatalf("%x: %v", b, err)
			}
			return
		}
		if err := a.VerifyTree(&merkle.Tree{Length: 1, Roots: []merkle.Node{{Size: 1}}}, b); !errors.Is(err, ErrSignature) {
			t.Fatalf("%x: as its own signature: %v", b, err)
		}
	})
}

// FuzzDecodeMulti also shows every input to the cores of the golden data: none may be taken in by a signature that the
// golden data does not have.
func FuzzDecodeMulti(f *testing.F) {
	c := loadSignatures(f)
	made := map[[64]byte]bool{}
	var cores []*Authority
	for _, s := range c.Multisig {
		f.Add([]byte(s.Signature), s.Manifest[0])
		for _, p := range s.Decoded.Proofs {
			made[[64]byte(p.Signature)] = true
		}
		m, err := Decode(s.Manifest)
		if err != nil {
			f.Fatal(err)
		}
		a, err := NewAuthority([32]byte(s.Key), m, Options{})
		if err != nil {
			f.Fatal(err)
		}
		cores = append(cores, a)
	}
	forest := plant(bytesOf(c.TreeSignature.Blocks))
	f.Fuzz(func(t *testing.T, b []byte, version byte) {
		m, err := decodeMulti(b, version)
		if err == nil {
			again, err := decodeMulti(m.append(nil, version), version)
			if err != nil || !reflect.DeepEqual(fields(m), fields(again)) {
				t.Fatalf("%x: %+v reads back as %+v, %v", b, m, again, err)
			}
			if len(m.parts)*partBytes+len(m.nodes)*nodeBytes > len(b) {
				t.Fatalf("%x: more than there is: %+v", b, m)
			}
		}
		for i, a := range cores {
			err := a.VerifyTree(forest.tree(c.Multisig[i].Length, c.Multisig[i].Fork), b)
			if err != nil && !errors.Is(err, ErrSignature) {
				t.Fatalf("%s: %x: %v", c.Multisig[i].Name, b, err)
			}
			if err == nil && !signedBy(a, b, made) {
				t.Fatalf("%s: %x accepted", c.Multisig[i].Name, b)
			}
		}
	})
}

// signedBy tells whether the signatures that count in b are among those that were made.
func signedBy(a *Authority, b []byte, made map[[64]byte]bool) bool {
	m, err := decodeMulti(b, a.version())
	if err != nil || len(m.parts) < a.quorum() || a.quorum() == 0 {
		return false
	}
	for _, p := range m.parts[:a.quorum()] {
		if !made[p.signature] {
			return false
		}
	}
	return true
}

// fields returns m without what a version 0 patch of no blocks carries, which is not written again.
func fields(m *multi) multi {
	out := multi{nodes: m.nodes}
	for _, p := range m.parts {
		if p.patch == 0 {
			p.start, p.places = 0, nil
		}
		out.parts = append(out.parts, p)
	}
	return out
}
