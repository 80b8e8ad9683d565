package manifest

import (
	"errors"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
)

var _ merkle.Authority = (*Authority)(nil)

func TestAuthorityBindsManifestToKey(t *testing.T) {
	pub := keys.PairFromSeed(keys.Seed{1}).Public
	other := keys.PairFromSeed(keys.Seed{2}).Public
	single := Single(pub)
	two := &Manifest{Version: 1, Quorum: 1, Signers: []Signer{{PublicKey: pub}, {PublicKey: other}}}
	for _, c := range []struct {
		name   string
		key    keys.Key
		m      *Manifest
		compat bool
		want   error
	}{
		{"own key", single.Key(), single, false, nil},
		{"other key", keys.Key{1}, single, false, ErrKey},
		{"no manifest", keys.Key(pub), nil, true, nil},
		{"no manifest, no key", keys.Key{}, nil, false, ErrSigner},
		{"no manifest, small order", keys.Key{1}, nil, false, ErrSigner},
		{"signer's key", keys.Key(pub), single, true, nil},
		{"signer's key, version 3", keys.Key(pub), &Manifest{Version: 3, Quorum: 7, AllowPatch: true, UserData: []byte{1}, Signers: single.Signers}, true, nil},
		{"signer's key, prologue", keys.Key(pub), &Manifest{Version: 1, Prologue: &merkle.Prologue{Length: 9}, Signers: single.Signers}, true, nil},
		{"first of two signers", keys.Key(pub), two, false, ErrKey},
		{"two signers", two.Key(), two, false, nil},
	} {
		a, err := NewAuthority(c.key, c.m, Options{})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
			continue
		}
		if err == nil && (a.Compat() != c.compat || a.Key() != c.key) {
			t.Errorf("%s: compat %v, key %v", c.name, a.Compat(), a.Key())
		}
		if _, ok := a.prologueOf(); ok {
			t.Errorf("%s: has a prologue", c.name)
		}
	}
}

// prologueOf is Prologue for an Authority that may be nil.
func (a *Authority) prologueOf() (merkle.Prologue, bool) {
	if a == nil {
		return merkle.Prologue{}, false
	}
	return a.Prologue()
}

// TestSmallOrderSigners makes the forgery that a manifest with such a key would allow: a signature that nobody made.
func TestSmallOrderSigners(t *testing.T) {
	good := Signer{PublicKey: keys.PairFromSeed(keys.Seed{1}).Public}
	for _, bad := range []keys.PublicKey{{}, {1}, {31: 0x80}, {0: 1, 31: 0x80}} {
		for _, m := range []*Manifest{Single(bad), {Version: 1, Quorum: 1, Signers: []Signer{good, {PublicKey: bad}}}} {
			if _, err := NewAuthority(m.Key(), m, Options{}); !errors.Is(err, ErrSigner) {
				t.Errorf("%x: %v, want %v", bad, err, ErrSigner)
			}
		}
		if _, err := NewAuthority(keys.Key(bad), nil, Options{}); !errors.Is(err, ErrSigner) {
			t.Errorf("compat core %x: %v, want %v", bad, err, ErrSigner)
		}
		if _, err := New(Config{Signers: []Signer{good, {PublicKey: bad}}}); !errors.Is(err, ErrSigner) {
			t.Errorf("new manifest with %x: %v, want %v", bad, err, ErrSigner)
		}
	}
}

func TestAuthorityIsNotChangedFromOutside(t *testing.T) {
	pair := keys.PairFromSeed(keys.Seed{1})
	m := Single(pair.Public)
	a := authority(t, m.Key(), m, Options{})
	m.Signers[0].PublicKey = keys.PublicKey{}
	m.Quorum = 0
	tree := plant([][]byte{{1}}).tree(1, 0)
	sig, err := a.Sign(pair, tree)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.VerifyTree(tree, sig); err != nil {
		t.Error(err)
	}
}

func TestNewDefaults(t *testing.T) {
	var signers []Signer
	for i := range 6 {
		signers = append(signers, Signer{PublicKey: keys.PairFromSeed(keys.Seed{byte(i)}).Public})
	}
	for _, c := range []struct {
		name            string
		config          Config
		version, quorum int
	}{
		{"one signer", Config{Signers: signers[:1]}, 1, 1},
		{"two signers", Config{Signers: signers[:2]}, 1, 2},
		{"three signers", Config{Signers: signers[:3]}, 1, 2},
		{"six signers", Config{Signers: signers}, 1, 4},
		{"quorum given", Config{Signers: signers, Quorum: 6}, 1, 6},
		{"user data", Config{Signers: signers, UserData: []byte{}}, 2, 4},
		{"linked", Config{Signers: signers, Linked: []keys.Key{{1}}}, 2, 4},
		{"nothing linked", Config{Signers: signers, Linked: []keys.Key{}}, 1, 4},
		{"version 0", Config{Version: Version0, Signers: signers, AllowPatch: true}, 0, 4},
		{"no signers", Config{Prologue: &merkle.Prologue{Length: 3}}, 1, 0},
	} {
		m, err := New(c.config)
		if err != nil || int(m.Version) != c.version || m.Quorum != c.quorum {
			t.Errorf("%s: %+v, %v; want version %d, quorum %d", c.name, m, err, c.version, c.quorum)
			continue
		}
		if slices.ContainsFunc(m.Signers, func(s Signer) bool { return s.Namespace != keys.DefaultNamespace() }) {
			t.Errorf("%s: a signer without the default namespace", c.name)
		}
	}
	if signers[0].Namespace != [32]byte{} {
		t.Error("New writes into its input")
	}
}

func TestSignRefuses(t *testing.T) {
	pair := keys.PairFromSeed(keys.Seed{1})
	f := plant([][]byte{{1}, {2}, {3}})
	single := Single(pair.Public)
	a := authority(t, single.Key(), single, Options{})
	for name, p := range map[string]keys.Pair{
		"other pair": keys.PairFromSeed(keys.Seed{2}), "no pair": {}, "no secret": {Public: pair.Public},
	} {
		if _, err := a.Sign(p, f.tree(1, 0)); !errors.Is(err, ErrNotSigner) {
			t.Errorf("%s: %v, want %v", name, err, ErrNotSigner)
		}
	}
	m, err := New(Config{Signers: single.Signers, Prologue: &merkle.Prologue{Hash: f.tree(2, 0).Hash(), Length: 2}})
	if err != nil {
		t.Fatal(err)
	}
	a = authority(t, m.Key(), m, Options{})
	if _, err := a.Sign(pair, f.tree(1, 0)); !errors.Is(err, ErrSignature) {
		t.Errorf("shorter than the prologue: %v, want %v", err, ErrSignature)
	}
	short, err := a.SignPart(pair, f.tree(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	signed := multi{parts: []part{{signature: short.Signature}}}
	if err := a.VerifyTree(f.tree(1, 0), signed.append(nil, 1)); !errors.Is(err, ErrSignature) {
		t.Errorf("shorter than the prologue, signed: %v, want %v", err, ErrSignature)
	}
	if sig, err := a.Sign(pair, f.tree(2, 0)); sig != nil || err != nil {
		t.Errorf("the prologue: %x, %v, want no signature", sig, err)
	}
	if sig, err := a.Sign(pair, f.tree(3, 0)); len(sig) != 68 || err != nil {
		t.Errorf("after the prologue: %x, %v", sig, err)
	}
	zero := &Manifest{Quorum: 1, Signers: single.Signers}
	if s := authority(t, zero.Key(), zero, Options{}).Signable(f.tree(1, 0), 1); s != nil {
		t.Errorf("signable of no signer: %x", s)
	}
}
