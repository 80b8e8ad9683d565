package bitfield

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestSetBits sets and clears stretches of a page, as a bitmap does.
func TestSetBits(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	rng := rand.New(rand.NewPCG(s, 0))
	var page [PageBytes]byte
	var model Bitfield
	for range 2000 {
		from := rng.Uint64N(PageBits)
		to := min(from+1+rng.Uint64N(1<<rng.UintN(16)), PageBits)
		on := rng.IntN(2) == 0
		SetBits(&page, from, to, on)
		model.SetRange(from, to, on)
		if !bytes.Equal(page[:], model.Page(0)) {
			t.Fatalf("seed %d: [%d, %d) %v", s, from, to, on)
		}
	}
}
