package keys_test

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
)

// smallOrder are the encodings of points whose order divides 8, without the sign of x. TestSmallOrderList proves them.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

var (
	prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	order = new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 252), decimal("27742317777372353535851937790883648493"))
)

func decimal(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 10)
	return n
}

// encodings returns the list with both signs of x.
func encodings(t *testing.T) (list [][32]byte) {
	t.Helper()
	for _, s := range smallOrder {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, [32]byte(b))
		b[31] |= 0x80
		list = append(list, [32]byte(b))
	}
	return list
}

func fromLE(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func toLE(n *big.Int) (b [32]byte) {
	n.FillBytes(b[:])
	slices.Reverse(b[:])
	return b
}

// TestSmallOrderList proves the list complete by arithmetic: doubling a point three times gives y = 1 exactly for the
// y coordinates of the list. Doubling needs y alone: with x² = (y²-1)/(dy²+1), y' = (y²+x²)/(2-y²+x²).
func TestSmallOrderList(t *testing.T) {
	d := mod(mul(big.NewInt(-121665), inverse(big.NewInt(121666))))
	double := func(y *big.Int) *big.Int {
		y2 := mul(y, y)
		x2 := mul(add(y2, -1), inverse(add(mul(d, y2), 1)))
		return mul(new(big.Int).Add(y2, x2), inverse(mod(new(big.Int).Sub(x2, add(y2, -2)))))
	}
	seen := map[string]bool{}
	for _, e := range encodings(t) {
		e[31] &= 0x7f
		y := mod(fromLE(e[:]))
		seen[y.String()] = true
		if double(double(double(y))).Cmp(big.NewInt(1)) != 0 {
			t.Errorf("%x is not of small order", e)
		}
	}
	// The curve has eight such points: y = 1 and y = -1 once, y = 0 twice, and two values of y twice.
	if len(seen) != 5 {
		t.Errorf("%d different coordinates, want 5", len(seen))
	}
}

func mod(a *big.Int) *big.Int          { return new(big.Int).Mod(a, prime) }
func mul(a, b *big.Int) *big.Int       { return mod(new(big.Int).Mul(a, b)) }
func add(a *big.Int, n int64) *big.Int { return mod(new(big.Int).Add(a, big.NewInt(n))) }
func inverse(a *big.Int) *big.Int      { return new(big.Int).ModInverse(mod(a), prime) }

// scalar returns the secret scalar of a pair.
func scalar(p keys.Pair) *big.Int {
	seed := p.Seed()
	h := sha512.Sum512(seed[:])
	h[0] &= 248
	h[31] = h[31]&63 | 64
	return fromLE(h[:32])
}

func signature(r [32]byte, s *big.Int) []byte {
	le := toLE(s)
	return append(r[:], le[:]...)
}

func TestVerifyRefusesSmallOrderKeys(t *testing.T) {
	p := keys.PairFromSeed(keys.Seed{1})
	s := new(big.Int).Mod(scalar(p), order)
	forged := 0
	for _, a := range encodings(t) {
		// R = [S]B fits whenever [k]A is the neutral point, which some message out of a few always gives.
		for m := range byte(64) {
			sig := signature(p.Public, s)
			if ed25519.Verify(a[:], []byte{m}, sig) {
				forged++
			}
			if keys.Verify(a, []byte{m}, sig) {
				t.Fatalf("a signature that nobody made is accepted under %x", a)
			}
		}
		if keys.PublicKey(a).Valid() {
			t.Errorf("%x is a valid key", a)
		}
	}
	if forged == 0 {
		t.Error("no forgery fits even without the check: the test proves nothing")
	}
}

func TestVerifyRefusesSmallOrderR(t *testing.T) {
	p := keys.PairFromSeed(keys.Seed{2})
	forged := 0
	for _, r := range encodings(t) {
		// A signer who takes the nonce 0 gives S = k·a, with k the hash of R, A and the message.
		msg := []byte("message")
		h := sha512.Sum512(slices.Concat(r[:], p.Public[:], msg))
		s := new(big.Int).Mul(fromLE(h[:]), scalar(p))
		sig := signature(r, s.Mod(s, order))
		if ed25519.Verify(p.Public[:], msg, sig) {
			forged++
		}
		if keys.Verify(p.Public, msg, sig) {
			t.Errorf("R = %x is accepted", r)
		}
	}
	if forged == 0 {
		t.Error("no such signature fits even without the check: the test proves nothing")
	}
}

func TestVerifyRefuses(t *testing.T) {
	p := keys.PairFromSeed(keys.Seed{3})
	msg := []byte("message")
	good := p.Sign(msg)
	if !keys.Verify(p.Public, msg, good[:]) {
		t.Fatal("a good signature is refused")
	}
	s := fromLE(good[32:])
	r := [32]byte(good[:32])
	for name, sig := range map[string][]byte{
		"no signature": nil, "63 bytes": good[:63], "65 bytes": append(good[:], 0),
		"S + L":     signature(r, new(big.Int).Add(s, order)),
		"S + 2L":    signature(r, new(big.Int).Add(s, new(big.Int).Lsh(order, 1))),
		"S = L":     signature(r, order),
		"zeros":     make([]byte, 64),
		"other R":   signature(p.Public, s),
		"no secret": func() []byte { b := keys.Pair{}.Sign(msg); return b[:] }(),
	} {
		if keys.Verify(p.Public, msg, sig) {
			t.Errorf("%s: accepted", name)
		}
	}
	for bit := range 8 * len(good) {
		bad := good
		bad[bit/8] ^= 1 << (bit % 8)
		if keys.Verify(p.Public, msg, bad[:]) {
			t.Errorf("bit %d flipped: accepted", bit)
		}
	}
}

func TestKeysThatAreNotCanonical(t *testing.T) {
	for i := range int64(19) {
		y := keys.PublicKey(toLE(new(big.Int).Add(prime, big.NewInt(i))))
		negative := y
		negative[31] |= 0x80
		if y.Valid() || negative.Valid() {
			t.Errorf("y = p + %d is a valid key", i)
		}
	}
	below := keys.PublicKey(toLE(new(big.Int).Sub(prime, big.NewInt(2))))
	if !below.Valid() || !keys.PairFromSeed(keys.Seed{}).Public.Valid() {
		t.Error("a canonical key is not valid")
	}
}
