package core

import (
	"bytes"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/vectors"
)

type jsonCipher struct{ BlockKey, BlindingKey vectors.Hex }

type jsonEncrypted struct {
	Name                      string
	SignerSeed, Key, Manifest vectors.Hex
	Compat, IsBlockKey        bool
	EncryptionKey, BlockKey   vectors.Hex
	BlindingKey               vectors.Hex
	States                    []jsonEncryptedState
	Seeks                     []jsonSeek
}

type jsonEncryptedState struct {
	Op struct {
		Append   []vectors.Hex
		Truncate *uint64
	}
	Length, Fork                         uint64
	ByteLengthUnpadded, ByteLengthStored uint64
	TreeHash                             string
	Signature                            vectors.Hex
	Blocks                               []struct {
		Index                 uint64
		Ciphertext, Plaintext vectors.Hex
	}
}

// jsonSeek is a position and where it is: block and offset, nil when it is past the end.
type jsonSeek struct {
	Bytes  uint64
	Result *[2]uint64
}

type encryptionVectors struct {
	Keys []struct {
		EncryptionKey, CoreKey      vectors.Hex
		Default, Compat, IsBlockKey jsonCipher
		BlockEncryptionKey          vectors.Hex
	}
	Blocks []struct {
		Index, Fork                                  uint64
		BlockKey, BlindingKey, Plaintext, Ciphertext vectors.Hex
	}
	Cores []jsonEncrypted
}

func loadEncryption(t *testing.T) *encryptionVectors {
	var v encryptionVectors
	vectors.Load(t, "encryption.json", &v)
	return &v
}

func TestVectorsEncryptionKeys(t *testing.T) {
	v := loadEncryption(t)
	notEmpty(t, "keys", v.Keys)
	for i, c := range v.Keys {
		key, e := keys.Key(c.CoreKey.Array32(t)), Encryption{Key: c.EncryptionKey.Array32(t)}
		raw := Encryption{Key: e.Key, Raw: true}
		check := func(name string, b *blockCipher, want jsonCipher) {
			if !bytes.Equal(b.block[:], want.BlockKey) || !bytes.Equal(b.blinding[:], want.BlindingKey) {
				t.Errorf("keys %d: %s: %x, %x, want %v", i, name, b.block, b.blinding, want)
			}
		}
		check("default", newBlockCipher(e, key, false), c.Default)
		check("compat", newBlockCipher(e, key, true), c.Compat)
		check("raw", newBlockCipher(raw, key, false), c.IsBlockKey)
		check("raw compat", newBlockCipher(raw, key, true), c.IsBlockKey)
		if got := BlockKey(key, e.Key); !bytes.Equal(got[:], c.BlockEncryptionKey) {
			t.Errorf("keys %d: block key %x, want %v", i, got, c.BlockEncryptionKey)
		}
	}
}

func TestVectorsEncryptionBlocks(t *testing.T) {
	v := loadEncryption(t)
	notEmpty(t, "blocks", v.Blocks)
	for i, c := range v.Blocks {
		b := newBlockCipher(Encryption{Key: c.BlockKey.Array32(t), Raw: true}, keys.Key{}, false)
		if !bytes.Equal(b.blinding[:], c.BlindingKey) {
			t.Errorf("block %d: blinding key %x, want %v", i, b.blinding, c.BlindingKey)
		}
		checkCipher(t, b, c.Index, c.Fork, c.Plaintext, c.Ciphertext)
	}
}

// checkCipher compares both directions.
func checkCipher(t *testing.T, b *blockCipher, index, fork uint64, plain, sealed []byte) {
	t.Helper()
	if got := b.seal(index, fork, plain); !bytes.Equal(got, sealed) {
		t.Errorf("block %d of fork %d: %x, want %x", index, fork, got, sealed)
	}
	if got, ok := b.open(index, bytes.Clone(sealed)); !ok || !bytes.Equal(got, plain) {
		t.Errorf("block %d of fork %d: opened %x (%v), want %x", index, fork, got, ok, plain)
	}
}

func TestVectorsStoreEncryption(t *testing.T) {
	var v struct {
		Encryption []struct {
			HypercoreKey, EncryptionKey, BlockKey, BlindingKey vectors.Hex
			Index, Fork                                        uint64
			Plain, Cipher                                      vectors.Hex
		}
	}
	vectors.Load(t, "corestore.json", &v)
	notEmpty(t, "encryption", v.Encryption)
	for _, c := range v.Encryption {
		b := newBlockCipher(Encryption{Key: c.EncryptionKey.Array32(t)}, keys.Key(c.HypercoreKey.Array32(t)), false)
		if !bytes.Equal(b.block[:], c.BlockKey) || !bytes.Equal(b.blinding[:], c.BlindingKey) {
			t.Errorf("keys %x, %x, want %v, %v", b.block, b.blinding, c.BlockKey, c.BlindingKey)
		}
		checkCipher(t, b, c.Index, c.Fork, c.Plain, c.Cipher)
	}
}

// TestVectorsEncryptedCores runs the operations on a writer, copies each state to a reader, and compares both.
func TestVectorsEncryptedCores(t *testing.T) {
	v := loadEncryption(t)
	notEmpty(t, "cores", v.Cores)
	for _, c := range v.Cores {
		t.Run(c.Name, func(t *testing.T) {
			notEmpty(t, "states", c.States)
			notEmpty(t, "seeks", c.Seeks)
			o := Options{
				Pair: keys.PairFromSeed(keys.Seed(c.SignerSeed.Array32(t))), Derived: true, Compat: c.Compat,
				Encryption: Encryption{Key: c.EncryptionKey.Array32(t), Raw: c.IsBlockKey},
			}
			w := openCore(t, memoryDB(t, datastore.Options{}), o)
			if k := w.Key(); !bytes.Equal(k[:], c.Key) || !bytes.Equal(w.Manifest().Encode(), c.Manifest) || w.Compat() != c.Compat {
				t.Fatalf("key %x, manifest %x", k, w.Manifest().Encode())
			}
			for i := range c.States {
				s := &c.States[i]
				runState(t, w, s)
				checkEncrypted(t, w, s)
				// A reader of this state, by key alone, with the block key alone.
				r := openCore(t, memoryDB(t, datastore.Options{}), Options{
					Key: w.Key(), Encryption: Encryption{Key: c.BlockKey.Array32(t), Raw: true},
				})
				follow(t, w, r)
				checkEncrypted(t, r, s)
				r = openCore(t, memoryDB(t, datastore.Options{}), Options{Key: w.Key(), Encryption: o.Encryption})
				follow(t, w, r)
				checkEncrypted(t, r, s)
			}
			checkSeeks(t, w, c.Seeks)
			if b := w.blockCipher(); !bytes.Equal(b.block[:], c.BlockKey) || !bytes.Equal(b.blinding[:], c.BlindingKey) {
				t.Errorf("block key %x, want %v", b.block, c.BlockKey)
			}
		})
	}
}

func runState(t *testing.T, w *Core, s *jsonEncryptedState) {
	t.Helper()
	if s.Op.Truncate != nil {
		if err := w.Truncate(t.Context(), *s.Op.Truncate); err != nil {
			t.Fatal(err)
		}
		return
	}
	mustAppend(t, w, bytesOf(s.Op.Append)...)
}

// follow copies a whole core to an empty reader.
func follow(t *testing.T, from, to *Core) {
	t.Helper()
	if h := from.Head(); h.Fork == 0 {
		upgrade(t, from, to)
	} else if v := pass(t, from, to, forkRequest(h)); v.Err != nil || !v.Upgraded {
		t.Fatalf("moving to fork %d: %+v", h.Fork, v)
	}
	for i := range from.Head().Length {
		fetchBlock(t, from, to, i)
	}
}

func checkEncrypted(t *testing.T, c *Core, s *jsonEncryptedState) {
	t.Helper()
	want := Head{Fork: s.Fork, Length: s.Length, ByteLength: s.ByteLengthUnpadded}
	if c.Head() != want || c.TreeHash().String() != s.TreeHash || !bytes.Equal(c.Signature(), s.Signature) {
		t.Fatalf("%v, hash %v, signature %x; want %+v", c.Head(), c.TreeHash(), c.Signature(), s)
	}
	if got := c.log.current.Load().byteLength; got != s.ByteLengthStored {
		t.Errorf("%d bytes stored, want %d", got, s.ByteLengthStored)
	}
	if len(s.Blocks) == 0 && s.Length > 0 {
		t.Fatal("golden data: no blocks")
	}
	for _, b := range s.Blocks {
		if got := storedBlock(t, c, b.Index); !bytes.Equal(got, b.Ciphertext) {
			t.Errorf("block %d is stored as %x, want %v", b.Index, got, b.Ciphertext)
		}
		mustGet(t, c, b.Index, b.Plaintext)
	}
}

func checkSeeks(t *testing.T, c *Core, seeks []jsonSeek) {
	t.Helper()
	for _, s := range seeks {
		block, within, err := c.Seek(t.Context(), s.Bytes)
		switch {
		case s.Result == nil:
			wantErr(t, "seek past the end", err, ErrOutOfRange)
		case err != nil || block != s.Result[0] || within != s.Result[1]:
			t.Errorf("seek %d: %d, %d, %v, want %v", s.Bytes, block, within, err, *s.Result)
		}
	}
}
