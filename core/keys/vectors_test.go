package keys_test

import (
	"bytes"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/vectors"
)

type cryptoFile struct {
	Hash []struct {
		Data, Hash vectors.Hex
	} `json:"hash"`
	Namespace []struct {
		Name string        `json:"name"`
		IDs  []int         `json:"ids"`
		Out  []vectors.Hex `json:"out"`
	} `json:"namespace"`
	Caps         map[string]vectors.Hex `json:"caps"`
	DiscoveryKey []struct {
		Key, DiscoveryKey vectors.Hex
	} `json:"discoveryKey"`
	KeyPair           []pairCase `json:"keyPair"`
	EncryptionKeyPair []pairCase `json:"encryptionKeyPair"`
	SignerSeeds       []struct {
		Seed, PublicKey vectors.Hex
	} `json:"signerSeeds"`
	SealedBox struct {
		Seed, Message, Ciphertext vectors.Hex
		OK                        bool
	} `json:"sealedBox"`
	Sign []struct {
		Seed, Message, Signature, BadSignature vectors.Hex

		Verify, BadVerify, ShortSignatureVerify bool
	} `json:"sign"`
	ID []struct {
		Hex     vectors.Hex `json:"hex"`
		Z32     string      `json:"z32"`
		Accepts [][2]string `json:"accepts"`
	} `json:"id"`
	IDRejects [][2]string `json:"idRejects"`
	Z32       []struct {
		Data vectors.Hex
		Z32  string
	} `json:"z32"`
	CompatKey struct {
		PublicKey, Key, DiscoveryKey vectors.Hex
	} `json:"compatKey"`
	Corestore []struct {
		PrimaryKey vectors.Hex `json:"primaryKey"`
		Namespace  []string    `json:"namespace"`
		Name       string      `json:"name"`
		NS         vectors.Hex `json:"ns"`
		pairCase
	} `json:"corestore"`
	CorestoreV2 struct {
		PrimaryKey, PublicKey vectors.Hex
		Name                  string
	} `json:"corestoreManifestV2"`
}

type pairCase struct {
	Seed      vectors.Hex `json:"seed"`
	PublicKey vectors.Hex `json:"publicKey"`
	SecretKey vectors.Hex `json:"secretKey"`
}

func load(t testing.TB) (c cryptoFile) {
	t.Helper()
	vectors.Load(t, "crypto.json", &c)
	for name, n := range map[string]int{
		"hash": len(c.Hash), "namespace": len(c.Namespace), "caps": len(c.Caps), "discoveryKey": len(c.DiscoveryKey),
		"keyPair": len(c.KeyPair), "encryptionKeyPair": len(c.EncryptionKeyPair), "signerSeeds": len(c.SignerSeeds),
		"sealedBox": len(c.SealedBox.Ciphertext), "sign": len(c.Sign), "id": len(c.ID), "idRejects": len(c.IDRejects),
		"z32": len(c.Z32), "compatKey": len(c.CompatKey.Key), "corestore": len(c.Corestore),
		"corestoreManifestV2": len(c.CorestoreV2.PrimaryKey),
	} {
		if n == 0 {
			t.Fatalf("golden data: crypto.json: no %s", name)
		}
	}
	return c
}

func wantBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %x, want %x", what, got, want)
	}
}

func TestVectorsHash(t *testing.T) {
	c := load(t)
	for _, h := range c.Hash {
		sum := keys.Hash(h.Data)
		wantBytes(t, "hash", sum[:], h.Hash)
		half := len(h.Data) / 2
		sum = keys.Hash(h.Data[:half], nil, h.Data[half:])
		wantBytes(t, "hash in parts", sum[:], h.Hash)
	}
	for _, n := range c.Namespace {
		ids := make([]byte, len(n.IDs))
		for i, id := range n.IDs {
			ids[i] = byte(id)
		}
		for i, v := range keys.NamespaceIDs(n.Name, ids) {
			wantBytes(t, "namespace "+n.Name, v[:], n.Out[i])
			all := keys.Namespace(n.Name, 256)
			wantBytes(t, "namespace "+n.Name, all[ids[i]][:], n.Out[i])
		}
		if len(n.Out) != len(ids) || len(ids) == 0 {
			t.Errorf("namespace %s: %d numbers, %d constants", n.Name, len(ids), len(n.Out))
		}
	}
	for _, d := range c.DiscoveryKey {
		k := keys.Key(d.Key.Array32(t)).Discovery()
		wantBytes(t, "discovery key", k[:], d.DiscoveryKey)
	}
	k := keys.Key(c.CompatKey.PublicKey.Array32(t))
	d := k.Discovery()
	wantBytes(t, "compat key", k[:], c.CompatKey.Key)
	wantBytes(t, "compat discovery key", d[:], c.CompatKey.DiscoveryKey)
}

func TestVectorsConstants(t *testing.T) {
	c := load(t)
	var s struct {
		Constants struct {
			CorestoreNS vectors.Hex            `json:"corestoreNS"`
			Hypercore   map[string]vectors.Hex `json:"hypercore"`
			Root        vectors.Hex            `json:"defaultCorestoreNamespace"`
		} `json:"constants"`
	}
	vectors.Load(t, "corestore.json", &s)
	ours := map[string][32]byte{
		"TREE": keys.Tree(), "REPLICATE_INITIATOR": keys.ReplicateInitiator(),
		"REPLICATE_RESPONDER": keys.ReplicateResponder(), "MANIFEST": keys.ManifestNS(),
		"DEFAULT_NAMESPACE": keys.DefaultNamespace(), "DEFAULT_ENCRYPTION": keys.DefaultEncryption(),
	}
	for _, theirs := range []map[string]vectors.Hex{c.Caps, s.Constants.Hypercore} {
		if len(theirs) != len(ours) {
			t.Errorf("%d constants, want %d", len(theirs), len(ours))
		}
		for name, want := range theirs {
			v := ours[name]
			wantBytes(t, name, v[:], want)
		}
	}
	ns := keys.Namespace("corestore", 1)[0]
	wantBytes(t, "store constant", ns[:], s.Constants.CorestoreNS)
	wantBytes(t, "root namespace", make([]byte, 32), s.Constants.Root)
}

func TestVectorsPairs(t *testing.T) {
	c := load(t)
	for _, k := range c.KeyPair {
		checkPair(t, keys.PairFromSeed(k.Seed.Array32(t)), k)
	}
	for _, k := range c.SignerSeeds {
		p := keys.PairFromSeed(k.Seed.Array32(t))
		wantBytes(t, "public key", p.Public[:], k.PublicKey)
	}
	for _, k := range c.EncryptionKeyPair {
		p := keys.EncryptionPair(k.Seed.Array32(t))
		secret := p.Secret()
		wantBytes(t, "public key", p.Public[:], k.PublicKey)
		wantBytes(t, "secret key", secret[:], k.SecretKey)
	}
	msg, err := keys.EncryptionPair(c.SealedBox.Seed.Array32(t)).Open(c.SealedBox.Ciphertext)
	if (err == nil) != c.SealedBox.OK {
		t.Errorf("sealed box: %v, want ok %v", err, c.SealedBox.OK)
	}
	wantBytes(t, "sealed box", msg, c.SealedBox.Message)
}

// checkPair compares p with the golden data and loads the golden secret key, whole and with every bit flipped.
func checkPair(t *testing.T, p keys.Pair, want pairCase) {
	t.Helper()
	seed, secret := p.Seed(), p.Secret()
	wantBytes(t, "seed", seed[:], want.Seed)
	wantBytes(t, "public key", p.Public[:], want.PublicKey)
	wantBytes(t, "secret key", secret[:], want.SecretKey)
	back, err := keys.PairFromSecret(want.SecretKey)
	if err != nil || back.Public != p.Public || back.Seed() != p.Seed() {
		t.Errorf("loading the secret key of %x: %v", want.PublicKey, err)
	}
}

func TestVectorsSign(t *testing.T) {
	for i, s := range load(t).Sign {
		p := keys.PairFromSeed(s.Seed.Array32(t))
		sig := p.Sign(s.Message)
		wantBytes(t, "signature", sig[:], s.Signature)
		for name, v := range map[string]struct {
			sig  []byte
			want bool
		}{
			"signature": {s.Signature, s.Verify}, "bad signature": {s.BadSignature, s.BadVerify},
			"short signature": {s.Signature[:63], s.ShortSignatureVerify},
		} {
			if keys.Verify(p.Public, s.Message, v.sig) != v.want {
				t.Errorf("case %d: %s: verdict is not %v", i, name, v.want)
			}
		}
	}
}

func TestVectorsText(t *testing.T) {
	c := load(t)
	for _, id := range c.ID {
		k := keys.Key(id.Hex.Array32(t))
		if k.String() != id.Z32 || k.Hex() != id.Hex.String() {
			t.Errorf("key %x prints as %s and %s, want %s", id.Hex, k, k.Hex(), id.Z32)
		}
		for _, a := range id.Accepts {
			if got, err := keys.Parse(a[0]); err != nil || got.Hex() != a[1] {
				t.Errorf("Parse(%q) = %s, %v, want %s", a[0], got.Hex(), err, a[1])
			}
		}
	}
	for _, r := range c.IDRejects {
		if k, err := keys.Parse(r[0]); err == nil {
			t.Errorf("Parse(%q) = %s, want an error", r[0], k)
		}
	}
	for _, z := range c.Z32 {
		b, err := keys.Z32Decode(z.Z32)
		if err != nil || !bytes.Equal(b, z.Data) || keys.Z32Encode(z.Data) != z.Z32 {
			t.Errorf("z32 of %x: %s, and back %x, %v; want %s", z.Data, keys.Z32Encode(z.Data), b, err, z.Z32)
		}
	}
}

func TestVectorsDerivation(t *testing.T) {
	c := load(t)
	for _, s := range c.Corestore {
		var ns keys.StoreNamespace
		for _, name := range s.Namespace {
			ns = ns.Child([]byte(name))
		}
		wantBytes(t, "namespace", ns[:], s.NS)
		p := keys.PrimaryKey(s.PrimaryKey.Array32(t)).Pair(ns, []byte(s.Name))
		checkPair(t, p, s.pairCase)
	}
	v2 := keys.PrimaryKey(c.CorestoreV2.PrimaryKey.Array32(t)).Pair(keys.StoreNamespace{}, []byte(c.CorestoreV2.Name))
	wantBytes(t, "public key", v2.Public[:], c.CorestoreV2.PublicKey)
}

func TestVectorsIDs(t *testing.T) {
	var c struct {
		IDs []struct {
			Key, DiscoveryKey vectors.Hex
			Z32               string
		} `json:"ids"`
	}
	vectors.Load(t, "corestore.json", &c)
	if len(c.IDs) == 0 {
		t.Fatal("golden data: corestore.json: no ids")
	}
	for _, id := range c.IDs {
		k := keys.Key(id.Key.Array32(t))
		d := k.Discovery()
		wantBytes(t, "discovery key", d[:], id.DiscoveryKey)
		back, err := keys.Parse(id.Z32)
		if k.String() != id.Z32 || err != nil || back != k {
			t.Errorf("key %x prints as %s and parses as %s, %v; want %s", id.Key, k, back.Hex(), err, id.Z32)
		}
	}
}
