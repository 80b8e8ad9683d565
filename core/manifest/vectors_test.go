package manifest

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/internal/vectors"
)

type manifestFile struct {
	Manifest []struct {
		Name         string       `json:"name"`
		Manifest     manifestJSON `json:"manifest"`
		Encoded      vectors.Hex  `json:"encoded"`
		Key          vectors.Hex  `json:"key"`
		DiscoveryKey vectors.Hex  `json:"discoveryKey"`
		Z32          string       `json:"z32"`
		Reencodes    bool         `json:"reencodes"`
		Decoded      manifestJSON `json:"decoded"`
	} `json:"manifest"`
	DecodeErrors []struct {
		Name    string      `json:"name"`
		Encoded vectors.Hex `json:"encoded"`
	} `json:"manifestDecodeErrors"`
	CreateErrors []struct {
		Name  string `json:"name"`
		Error string `json:"error"`
	} `json:"manifestCreateErrors"`
	CompatKey struct {
		PublicKey vectors.Hex `json:"publicKey"`
		Key       vectors.Hex `json:"key"`
	} `json:"compatKey"`
	Corestore []struct {
		PrimaryKey vectors.Hex `json:"primaryKey"`
		Namespace  []string    `json:"namespace"`
		storeCase
	} `json:"corestore"`
	CorestoreV2 struct {
		PrimaryKey vectors.Hex `json:"primaryKey"`
		Name       string      `json:"name"`
		PublicKey  vectors.Hex `json:"publicKey"`
		Manifest   vectors.Hex `json:"manifest"`
		Key        vectors.Hex `json:"key"`
	} `json:"corestoreManifestV2"`
}

func loadManifests(t testing.TB) (c manifestFile) {
	t.Helper()
	vectors.Load(t, "crypto.json", &c)
	for name, n := range map[string]int{
		"manifest": len(c.Manifest), "manifestDecodeErrors": len(c.DecodeErrors), "manifestCreateErrors": len(c.CreateErrors),
		"compatKey": len(c.CompatKey.Key), "corestore": len(c.Corestore), "corestoreManifestV2": len(c.CorestoreV2.Key),
	} {
		if n == 0 {
			t.Fatalf("golden data: crypto.json: no %s", name)
		}
	}
	return c
}

func TestVectorsManifest(t *testing.T) {
	for _, c := range loadManifests(t).Manifest {
		t.Run(c.Name, func(t *testing.T) {
			m := c.Manifest.manifest(t)
			k := m.Key()
			d := k.Discovery()
			wantBytes(t, "encoded", m.Encode(), c.Encoded)
			wantBytes(t, "key", k[:], c.Key)
			wantBytes(t, "discovery key", d[:], c.DiscoveryKey)
			if k.String() != c.Z32 {
				t.Errorf("id %v, want %s", k, c.Z32)
			}
			back := decode(t, c.Encoded)
			if want := c.Decoded.manifest(t); !reflect.DeepEqual(back, want) {
				t.Errorf("decoded as %+v, want %+v", back, want)
			}
			if again := back.Encode(); bytes.Equal(again, c.Encoded) != c.Reencodes {
				t.Errorf("encoded again as %x", again)
			}
			if config, ok := config(m); ok {
				made, err := New(config)
				if err != nil || !reflect.DeepEqual(made, m) {
					t.Errorf("New made %+v, %v, want %+v", made, err, m)
				}
			}
			for n := range c.Encoded {
				if m, err := Decode(c.Encoded[:n]); !errors.Is(err, ErrInvalid) {
					t.Fatalf("the first %d bytes are accepted: %+v, %v", n, m, err)
				}
			}
		})
	}
}

func TestVectorsManifestDecodeErrors(t *testing.T) {
	for _, c := range loadManifests(t).DecodeErrors {
		if m, err := Decode(c.Encoded); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %x accepted: %+v, %v", c.Name, c.Encoded, m, err)
		}
	}
}

// TestVectorsManifestCreateErrors makes the mistakes that the golden data names. Some of them no Config can express;
// there the encoded form shows that they are refused.
func TestVectorsManifestCreateErrors(t *testing.T) {
	one := []Signer{{PublicKey: keys.PairFromSeed(keys.Seed{1}).Public}}
	made := func(c Config) error {
		_, err := New(c)
		return err
	}
	read := func(b ...byte) error {
		_, err := Decode(b)
		return err
	}
	mistakes := map[string]error{
		"quorum > signers":   made(Config{Signers: one, Quorum: 2}),
		"negative quorum":    made(Config{Signers: one, Quorum: -1}),
		"userData on v1":     made(Config{Signers: one, Version: 1, UserData: []byte{1}}),
		"linked on v1":       made(Config{Signers: one, Version: 1, Linked: []keys.Key{{1}}}),
		"bad prologue hash":  read(append([]byte{1, flagPrologue, 0, 0, 0}, make([]byte, 31)...)...),
		"bad linked key":     made(Config{Signers: one, Linked: []keys.Key{{}}}),
		"other hash":         read(1, 0, 1, 0, 0),
		"signer without key": made(Config{Signers: make([]Signer, 1)}),
	}
	for _, c := range loadManifests(t).CreateErrors {
		err, known := mistakes[c.Name]
		if !known {
			t.Errorf("%s (%s) is not tried", c.Name, c.Error)
		} else if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want %v", c.Name, err, ErrInvalid)
		}
	}
	for name, err := range map[string]error{
		"prologue too long": made(Config{Prologue: &merkle.Prologue{Length: compact.MaxSafe + 1}}),
		"version 3":         made(Config{Signers: one, Version: 3}),
		"v0 with prologue":  made(Config{Version: Version0, Prologue: &merkle.Prologue{}}),
		"v0 patch":          made(Config{Version: Version0, Signers: one, AllowPatch: true}),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want %v", name, err, ErrInvalid)
		}
	}
}

func TestVectorsStorePairs(t *testing.T) {
	c := loadManifests(t)
	for _, s := range c.Corestore {
		var ns keys.StoreNamespace
		for _, name := range s.Namespace {
			ns = ns.Child([]byte(name))
		}
		s.check(t, keys.PrimaryKey(s.PrimaryKey.Array32(t)).Pair(ns, []byte(s.Name)))
	}
	v2 := keys.PrimaryKey(c.CorestoreV2.PrimaryKey.Array32(t)).Pair(keys.StoreNamespace{}, []byte(c.CorestoreV2.Name))
	m, err := New(Config{Version: 2, Signers: []Signer{{PublicKey: v2.Public}}})
	if err != nil {
		t.Fatal(err)
	}
	k := m.Key()
	wantBytes(t, "version 2: public key", v2.Public[:], c.CorestoreV2.PublicKey)
	wantBytes(t, "version 2: manifest", m.Encode(), c.CorestoreV2.Manifest)
	wantBytes(t, "version 2: key", k[:], c.CorestoreV2.Key)
	if a := authority(t, c.CompatKey.Key.Array32(t), Compat(c.CompatKey.Key.Array32(t)), Options{}); !a.Compat() {
		t.Error("the compat manifest of a key does not make a compat core")
	} else {
		wantBytes(t, "compat public key", a.Manifest().Signers[0].PublicKey[:], c.CompatKey.PublicKey)
	}
}
