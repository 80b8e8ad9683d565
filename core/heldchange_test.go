package core

import (
	"bytes"
	"testing"

	"github.com/hypernode/hypernode/internal/bitfield"
)

// TestSetBits sets and clears stretches of a page, as a bitmap does.
func TestSetBits(t *testing.T) {
	rng := seeded(t, 0)
	var page [bitfield.PageBytes]byte
	var model bitfield.Bitfield
	for range 2000 {
		from := rng.Uint64N(bitfield.PageBits)
		to := min(from+1+rng.Uint64N(1<<rng.UintN(16)), bitfield.PageBits)
		on := rng.IntN(2) == 0
		setBits(&page, from, to, on)
		model.SetRange(from, to, on)
		if !bytes.Equal(page[:], model.Page(0)) {
			t.Fatalf("[%d, %d) %v", from, to, on)
		}
	}
}
