package manifest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/vectors"
)

// name is text, or bytes written as {"hex": …}.
type name []byte

func (n *name) UnmarshalJSON(b []byte) error {
	var bytes struct{ Hex vectors.Hex }
	if err := json.Unmarshal(b, &bytes); err == nil {
		*n = name(bytes.Hex)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	*n = name(s)
	return nil
}

type storeFile struct {
	Constants struct {
		Blobs vectors.Hex `json:"hyperdriveBLOBS"`
	} `json:"constants"`
	Stores []struct {
		PrimaryKey vectors.Hex `json:"primaryKey"`
		Namespaces []struct {
			Path          []name      `json:"path"`
			NS            vectors.Hex `json:"ns"`
			Cores         []storeCase `json:"cores"`
			DriveKey      vectors.Hex `json:"driveKey"`
			DriveBlobsKey vectors.Hex `json:"driveBlobsKey"`
		} `json:"namespaces"`
	} `json:"stores"`
	Manifests []struct {
		Input             inputJSON     `json:"input"`
		Encoded           vectors.Hex   `json:"encoded"`
		Key               vectors.Hex   `json:"key"`
		DiscoveryKey      vectors.Hex   `json:"discoveryKey"`
		ContentManifest   vectors.Hex   `json:"contentManifest"`
		ContentKey        vectors.Hex   `json:"contentKey"`
		ContentNamespaces []vectors.Hex `json:"contentNamespaces"`
	} `json:"manifests"`
	Statics []struct {
		Length       uint64      `json:"length"`
		TreeHash     vectors.Hex `json:"treeHash"`
		Blocks       []name      `json:"blocks"`
		Manifest     vectors.Hex `json:"manifest"`
		Key          vectors.Hex `json:"key"`
		DiscoveryKey vectors.Hex `json:"discoveryKey"`
	} `json:"statics"`
}

// inputJSON is what a user gives; anything may lack.
type inputJSON struct {
	Version    *int `json:"version"`
	AllowPatch bool `json:"allowPatch"`
	Quorum     int  `json:"quorum"`
	Signers    []struct {
		PublicKey name `json:"publicKey"`
		Namespace name `json:"namespace"`
	} `json:"signers"`
	Prologue *struct {
		Length uint64 `json:"length"`
		Hash   name   `json:"hash"`
	} `json:"prologue"`
	Linked   []name `json:"linked"`
	UserData name   `json:"userData"`
}

func (j *inputJSON) config() Config {
	c := Config{AllowPatch: j.AllowPatch, Quorum: j.Quorum, UserData: j.UserData}
	if j.Version != nil {
		c.Version = *j.Version
		if c.Version == 0 {
			c.Version = Version0
		}
	}
	for _, s := range j.Signers {
		next := Signer{PublicKey: keys.PublicKey(s.PublicKey)}
		copy(next.Namespace[:], s.Namespace)
		c.Signers = append(c.Signers, next)
	}
	if j.Prologue != nil {
		c.Prologue = &merkle.Prologue{Hash: merkle.Hash(j.Prologue.Hash), Length: j.Prologue.Length}
	}
	for _, l := range j.Linked {
		c.Linked = append(c.Linked, keys.Key(l))
	}
	return c
}

func loadStores(t *testing.T) (c storeFile) {
	t.Helper()
	vectors.Load(t, "corestore.json", &c)
	if len(c.Stores) == 0 || len(c.Manifests) == 0 || len(c.Statics) == 0 || len(c.Constants.Blobs) == 0 {
		t.Fatal("golden data: corestore.json: no stores, manifests, statics or constants")
	}
	return c
}

func TestVectorsStores(t *testing.T) {
	for _, s := range loadStores(t).Stores {
		p := keys.PrimaryKey(s.PrimaryKey.Array32(t))
		if len(s.Namespaces) == 0 {
			t.Error("golden data: a store without namespaces")
		}
		for _, n := range s.Namespaces {
			var ns keys.StoreNamespace
			for _, step := range n.Path {
				ns = ns.Child(step)
			}
			wantBytes(t, "namespace", ns[:], n.NS)
			if len(n.Cores) == 0 {
				t.Error("golden data: a namespace without cores")
			}
			for _, c := range n.Cores {
				c.check(t, p.Pair(ns, []byte(c.Name)))
			}
			drive := Single(p.Pair(ns, []byte("db")).Public)
			k := drive.Key()
			wantBytes(t, "drive key", k[:], n.DriveKey)
			k = content(t, drive).Key()
			wantBytes(t, "blobs key", k[:], n.DriveBlobsKey)
		}
	}
}

// content returns the manifest of the core that holds the contents of the drive with manifest m: the same signers, each
// with a namespace made from the drive's key and the old one.
func content(t *testing.T, m *Manifest) *Manifest {
	t.Helper()
	blobs, k := keys.Namespace("hyperdrive", 1)[0], m.Key()
	c := &Manifest{Version: m.Version, AllowPatch: m.AllowPatch, Quorum: m.Quorum}
	for _, s := range m.Signers {
		c.Signers = append(c.Signers, Signer{keys.Hash(blobs[:], k[:], s.Namespace[:]), s.PublicKey})
	}
	return c
}

func TestVectorsManifestInputs(t *testing.T) {
	c := loadStores(t)
	blobs := keys.Namespace("hyperdrive", 1)[0]
	wantBytes(t, "constant", blobs[:], c.Constants.Blobs)
	for i, v := range c.Manifests {
		m, err := New(v.Input.config())
		if err != nil {
			t.Errorf("manifest %d: %v", i, err)
			continue
		}
		k := m.Key()
		d := k.Discovery()
		wantBytes(t, "manifest", m.Encode(), v.Encoded)
		wantBytes(t, "key", k[:], v.Key)
		wantBytes(t, "discovery key", d[:], v.DiscoveryKey)
		wantBytes(t, "decoded and encoded", decode(t, v.Encoded).Encode(), v.Encoded)
		if v.ContentManifest == nil {
			continue
		}
		inner := content(t, m)
		k = inner.Key()
		wantBytes(t, "content manifest", inner.Encode(), v.ContentManifest)
		wantBytes(t, "content key", k[:], v.ContentKey)
		for i, ns := range v.ContentNamespaces {
			wantBytes(t, "content namespace", inner.Signers[i].Namespace[:], ns)
		}
	}
}

func TestVectorsStatics(t *testing.T) {
	for _, s := range loadStores(t).Statics {
		var blocks [][]byte
		for _, b := range s.Blocks {
			blocks = append(blocks, b)
		}
		tree := plant(blocks).tree(s.Length, 0)
		hash := tree.Hash()
		wantBytes(t, "tree hash", hash[:], s.TreeHash)
		m := Static(tree)
		k := m.Key()
		d := k.Discovery()
		wantBytes(t, "manifest", m.Encode(), s.Manifest)
		wantBytes(t, "key", k[:], s.Key)
		wantBytes(t, "discovery key", d[:], s.DiscoveryKey)
		if err := authority(t, k, decode(t, s.Manifest), Options{}).VerifyTree(tree, nil); err != nil {
			t.Errorf("static core of %d blocks: %v", s.Length, err)
		}
	}
}
