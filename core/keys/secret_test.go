package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/nacl/box"

	"github.com/hypernode/hypernode/core/keys"
)

// prints returns v in every way that a program prints things.
func prints(t *testing.T, v any) (out []string) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%U", "% x"} {
		out = append(out, fmt.Sprintf(verb, v), fmt.Sprintf(verb, []any{v}), fmt.Sprintf(verb, map[string]any{"k": v}))
	}
	j, err := json.Marshal(map[string]any{"k": v})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "k", v)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "k", v)
	return append(out, string(j), log.String())
}

func TestSecretsAreRedacted(t *testing.T) {
	seed := keys.Seed(bytes.Repeat([]byte{0xa7}, 32))
	pair := keys.PairFromSeed(seed)
	type holder struct{ pair keys.Pair }
	encryption := keys.EncryptionPair(seed)
	boxSecret := encryption.Secret()
	for name, v := range map[string]any{
		"seed": seed, "pair": pair, "pointer": &pair, "primary key": keys.PrimaryKey(seed),
		"unexported field": holder{pair}, "struct": struct{ S keys.Seed }{seed}, "box": encryption,
	} {
		for _, s := range prints(t, v) {
			for _, secret := range [][]byte{seed[:4], boxSecret[:4]} {
				for _, leak := range []string{
					hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), base64.StdEncoding.EncodeToString(secret)[:4],
					string(secret), strings.Trim(fmt.Sprint(secret), "[]"), fmt.Sprintf("%o", secret)[1:12], keys.Z32Encode(secret)[:5],
				} {
					if strings.Contains(s, leak) {
						t.Errorf("%s prints as %q", name, s)
					}
				}
			}
		}
	}
	for _, v := range []any{seed, keys.PrimaryKey(seed)} {
		if s := fmt.Sprintf("%x %v %#v", v, v, v); s != "redacted redacted redacted" {
			t.Errorf("prints as %q", s)
		}
	}
}

func TestPairFromSecret(t *testing.T) {
	p := keys.PairFromSeed(keys.Seed{5})
	secret := p.Secret()
	for bit := range 8 * len(secret) {
		bad := secret
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := keys.PairFromSecret(bad[:]); !errors.Is(err, keys.ErrKeyHalves) {
			t.Fatalf("bit %d flipped: %v, want %v", bit, err, keys.ErrKeyHalves)
		}
	}
	for _, n := range []int{0, 32, 63} {
		if _, err := keys.PairFromSecret(secret[:n]); !errors.Is(err, keys.ErrKeyLength) {
			t.Errorf("%d bytes: %v, want %v", n, err, keys.ErrKeyLength)
		}
	}
	if _, err := keys.PairFromSecret(append(secret[:], 0)); !errors.Is(err, keys.ErrKeyLength) {
		t.Errorf("65 bytes: %v, want %v", err, keys.ErrKeyLength)
	}
}

func TestPairWithoutSecret(t *testing.T) {
	var p keys.Pair
	if !p.IsZero() || p.Sign(nil) != [64]byte{} || p.Secret() != [64]byte{} || p.Seed() != (keys.Seed{}) {
		t.Error("the zero pair has a secret")
	}
	if keys.PairFromSeed(keys.Seed{}).IsZero() {
		t.Error("the pair of the zero seed counts as none")
	}
}

func TestRandomKeysDiffer(t *testing.T) {
	a, errA := keys.NewPair()
	b, errB := keys.NewPair()
	if errA != nil || errB != nil || a.Public == b.Public {
		t.Errorf("two random pairs: %v, %v; %v, %v", a, errA, b, errB)
	}
	p, errP := keys.NewPrimaryKey()
	q, errQ := keys.NewPrimaryKey()
	if errP != nil || errQ != nil || p == q {
		t.Errorf("two random primary keys are equal, or %v, %v", errP, errQ)
	}
}

func TestSealedBox(t *testing.T) {
	pair := keys.EncryptionPair(keys.Seed{6})
	sealed, err := keys.Seal(pair.Public, []byte("for one reader"))
	if err != nil {
		t.Fatal(err)
	}
	if msg, err := pair.Open(sealed); err != nil || string(msg) != "for one reader" {
		t.Errorf("opens as %q, %v", msg, err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if msg, err := pair.Open(bad); !errors.Is(err, keys.ErrBox) {
			t.Errorf("byte %d changed: opens as %q, %v", i, msg, err)
		}
	}
	for name, open := range map[string]func([]byte) ([]byte, error){
		"other pair": keys.EncryptionPair(keys.Seed{7}).Open, "no pair": keys.BoxPair{}.Open,
		"cut": func(b []byte) ([]byte, error) { return pair.Open(b[:47]) },
	} {
		if _, err := open(sealed); !errors.Is(err, keys.ErrBox) {
			t.Errorf("%s: %v, want %v", name, err, keys.ErrBox)
		}
	}
	for _, pub := range []keys.BoxKey{{}, {1}} {
		if _, err := keys.Seal(pub, nil); !errors.Is(err, keys.ErrBoxKey) {
			t.Errorf("sealing for %x: %v, want %v", pub, err, keys.ErrBoxKey)
		}
	}
}

// TestOpenRefusesSmallOrder makes the box that anybody could make and read: with a sender's key of small order the
// shared secret is zero, whoever receives it.
func TestOpenRefusesSmallOrder(t *testing.T) {
	pair := keys.EncryptionPair(keys.Seed{8})
	var ephemeral, shared [32]byte
	box.Precompute(&shared, &ephemeral, &[32]byte{1})
	h, err := blake2b.New(24, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Write(ephemeral[:])
	h.Write(pair.Public[:])
	sealed := box.SealAfterPrecomputation(ephemeral[:], []byte("message"), (*[24]byte)(h.Sum(nil)), &shared)
	secret := pair.Secret()
	if _, ok := box.OpenAnonymous(nil, sealed, (*[32]byte)(&pair.Public), &secret); !ok {
		t.Fatal("the box does not open even without the check: the test proves nothing")
	}
	if msg, err := pair.Open(sealed); !errors.Is(err, keys.ErrBox) {
		t.Errorf("opens as %q, %v", msg, err)
	}
}
