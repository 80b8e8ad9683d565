package corestore_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/internal/vectors"
)

// text is a name in the golden data: a string, or {hex} for one that is no text.
type text string

func (s *text) UnmarshalJSON(b []byte) error {
	var raw struct {
		Hex vectors.Hex `json:"hex"`
	}
	if bytes.HasPrefix(b, []byte{'{'}) {
		err := json.Unmarshal(b, &raw)
		*s = text(raw.Hex)
		return err
	}
	return json.Unmarshal(b, (*string)(s))
}

type namedCore struct {
	Name         text        `json:"name"`
	Seed         vectors.Hex `json:"seed"`
	PublicKey    vectors.Hex `json:"publicKey"`
	SecretKey    vectors.Hex `json:"secretKey"`
	Manifest     vectors.Hex `json:"manifest"`
	Key          vectors.Hex `json:"key"`
	DiscoveryKey vectors.Hex `json:"discoveryKey"`
	ID           string      `json:"id"`
}

// check opens a core by name and compares all that there is to it. Without a key there is only the pair.
func (n *namedCore) check(t *testing.T, s *corestore.Store) {
	t.Helper()
	p := s.Pair(string(n.Name))
	seed, secret := p.Seed(), p.Secret()
	wantBytes(t, "public key", p.Public[:], n.PublicKey)
	if n.Seed != nil {
		wantBytes(t, "seed", seed[:], n.Seed)
		wantBytes(t, "secret key", secret[:], n.SecretKey)
	}
	if n.Key == nil {
		return
	}
	c := open(t, s, corestore.Name(string(n.Name)))
	defer c.Close()
	n.compare(t, c)
	appendTo(t, c, "signed")
	for _, ref := range []corestore.Ref{corestore.Key(n.Key.Array32(t)), corestore.Discovery(c.DiscoveryKey())} {
		again := open(t, s, ref)
		n.compare(t, again)
		wantContents(t, again, "signed")
		again.Close()
	}
}

func (n *namedCore) compare(t *testing.T, c *core.Core) {
	t.Helper()
	k, d := c.Key(), c.DiscoveryKey()
	wantBytes(t, "manifest", c.Manifest().Encode(), n.Manifest)
	wantBytes(t, "key", k[:], n.Key)
	if n.DiscoveryKey != nil {
		wantBytes(t, "discovery key", d[:], n.DiscoveryKey)
	}
	if n.ID != "" && k.String() != n.ID {
		t.Errorf("id %v, want %s", k, n.ID)
	}
	if !c.Writable() {
		t.Error("not writable")
	}
}

func wantBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %x, want %x", what, got, want)
	}
}

// some fails a test of golden data that is not there.
func some(t *testing.T, what string, n int) {
	t.Helper()
	if n == 0 {
		t.Fatalf("golden data: no %s", what)
	}
}

func path(list []text) (out []string) {
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

func TestVectorsStores(t *testing.T) {
	var file struct {
		Stores []struct {
			PrimaryKey vectors.Hex `json:"primaryKey"`
			Namespaces []struct {
				Path  []text      `json:"path"`
				NS    vectors.Hex `json:"ns"`
				Cores []namedCore `json:"cores"`
			} `json:"namespaces"`
		} `json:"stores"`
	}
	vectors.Load(t, "corestore.json", &file)
	some(t, "stores", len(file.Stores))
	for _, s := range file.Stores {
		db := memory(t)
		store := openStore(t, db, corestore.Options{PrimaryKey: s.PrimaryKey.Array32(t)})
		some(t, "namespaces", len(s.Namespaces))
		cores := 0
		for _, n := range s.Namespaces {
			ns := namespace(t, store, path(n.Path)...)
			id := ns.NamespaceID()
			wantBytes(t, "namespace", id[:], n.NS)
			some(t, "cores", len(n.Cores))
			cores += len(n.Cores)
			for _, c := range n.Cores {
				t.Run(fmt.Sprintf("%x/%q/%.20q", s.PrimaryKey[:2], n.Path, c.Name), func(t *testing.T) { c.check(t, ns) })
			}
			if got := names(t, ns); len(got) != len(n.Cores) {
				t.Errorf("%d names in %q, want %d", len(got), n.Path, len(n.Cores))
			}
		}
		if got := listed(t, store); len(got) != cores {
			t.Errorf("%d cores, want %d", len(got), cores)
		}
	}
}

func TestVectorsCryptoStores(t *testing.T) {
	var file struct {
		Corestore []struct {
			PrimaryKey vectors.Hex `json:"primaryKey"`
			Namespace  []text      `json:"namespace"`
			NS         vectors.Hex `json:"ns"`
			namedCore
		} `json:"corestore"`
		V2 struct {
			PrimaryKey vectors.Hex `json:"primaryKey"`
			namedCore
		} `json:"corestoreManifestV2"`
	}
	vectors.Load(t, "crypto.json", &file)
	some(t, "corestore", len(file.Corestore))
	some(t, "corestoreManifestV2", len(file.V2.Key))
	for _, c := range file.Corestore {
		t.Run(fmt.Sprintf("%q/%q", c.Namespace, c.Name), func(t *testing.T) {
			store := openStore(t, memory(t), corestore.Options{PrimaryKey: c.PrimaryKey.Array32(t)})
			ns := namespace(t, store, path(c.Namespace)...)
			id := ns.NamespaceID()
			wantBytes(t, "namespace", id[:], c.NS)
			c.check(t, ns)
		})
	}
	t.Run("manifest version 2", func(t *testing.T) {
		file.V2.check(t, openStore(t, memory(t), corestore.Options{PrimaryKey: file.V2.PrimaryKey.Array32(t), ManifestVersion: 2}))
	})
}

func TestVectorsStoreManifests(t *testing.T) {
	var file struct {
		Manifests []struct {
			Encoded         vectors.Hex   `json:"encoded"`
			Key             vectors.Hex   `json:"key"`
			DiscoveryKey    vectors.Hex   `json:"discoveryKey"`
			ContentManifest vectors.Hex   `json:"contentManifest"`
			ContentKey      vectors.Hex   `json:"contentKey"`
			Namespaces      []vectors.Hex `json:"contentNamespaces"`
		} `json:"manifests"`
		IDs []struct {
			Key          vectors.Hex `json:"key"`
			Z32          string      `json:"z32"`
			DiscoveryKey vectors.Hex `json:"discoveryKey"`
		} `json:"ids"`
	}
	vectors.Load(t, "corestore.json", &file)
	some(t, "manifests", len(file.Manifests))
	some(t, "ids", len(file.IDs))
	s := newStore(t)
	for _, m := range file.Manifests {
		openManifest(t, s, m.Encoded, m.Key, m.DiscoveryKey)
		if m.ContentManifest == nil {
			continue
		}
		openManifest(t, s, m.ContentManifest, m.ContentKey, nil)
		for i, signer := range decoded(t, m.ContentManifest).Signers {
			wantBytes(t, "content namespace", signer.Namespace[:], m.Namespaces[i])
		}
	}
	for _, id := range file.IDs {
		k, err := keys.Parse(id.Z32)
		d := k.Discovery()
		if err != nil || k.String() != id.Z32 {
			t.Errorf("%s: %v, %v", id.Z32, k, err)
		}
		wantBytes(t, "key", k[:], id.Key)
		wantBytes(t, "discovery key", d[:], id.DiscoveryKey)
	}
}

func decoded(t *testing.T, b []byte) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// openManifest opens a core by its manifest and again by its key, and compares.
func openManifest(t *testing.T, s *corestore.Store, encoded, key, discovery []byte) {
	t.Helper()
	c := open(t, s, corestore.Manifest(decoded(t, encoded)))
	k, d := c.Key(), c.DiscoveryKey()
	wantBytes(t, "key", k[:], key)
	if discovery != nil {
		wantBytes(t, "discovery key", d[:], discovery)
	}
	c.Close()
	c = open(t, s, corestore.Key(k))
	defer c.Close()
	wantBytes(t, "manifest", c.Manifest().Encode(), encoded)
	if c.Writable() {
		t.Error("a core of foreign signers is writable")
	}
}

func TestVectorsStatics(t *testing.T) {
	var file struct {
		Statics []struct {
			Length       uint64      `json:"length"`
			TreeHash     vectors.Hex `json:"treeHash"`
			Blocks       []string    `json:"blocks"`
			Manifest     vectors.Hex `json:"manifest"`
			Key          vectors.Hex `json:"key"`
			DiscoveryKey vectors.Hex `json:"discoveryKey"`
			Writable     bool        `json:"writable"`
		} `json:"statics"`
	}
	vectors.Load(t, "corestore.json", &file)
	some(t, "statics", len(file.Statics))
	s := newStore(t)
	for i, v := range file.Statics {
		log := open(t, s, corestore.Name(fmt.Sprint("static", i)))
		appendTo(t, log, v.Blocks...)
		c, err := s.Static(t.Context(), log)
		if err != nil {
			t.Fatal(err)
		}
		k, d, h := c.Key(), c.DiscoveryKey(), c.TreeHash()
		wantBytes(t, "key", k[:], v.Key)
		wantBytes(t, "discovery key", d[:], v.DiscoveryKey)
		wantBytes(t, "tree hash", h[:], v.TreeHash)
		wantBytes(t, "manifest", c.Manifest().Encode(), v.Manifest)
		wantContents(t, c, v.Blocks...)
		if n := c.Head().Length; n != v.Length || c.Writable() != v.Writable {
			t.Errorf("length %d, writable %v, want %d, %v", n, c.Writable(), v.Length, v.Writable)
		}
		log.Close()
		c.Close()
	}
}
