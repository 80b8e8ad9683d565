package blobs

// Content-defined cuts: a Rabin fingerprint of the last 64 bytes decides where a chunk ends, so that equal stretches of two files
// are cut alike wherever they stand.
const (
	// MinChunk and MaxChunk bound the size of a chunk in bytes.
	MinChunk = 512 << 10
	MaxChunk = 8 << 20

	rabinPoly   = 0x3DA3358B4DC173 // of degree 53
	rabinDegree = 53
	rabinWindow = 64
	rabinMask   = 1<<20 - 1 // a chunk ends where these bits of the fingerprint are zero: every MiB on average
)

// Chunker finds the ends of chunks in a stream of bytes. The zero value is not usable, see NewChunker.
type Chunker struct {
	out, mod [256]uint64
	window   [rabinWindow]byte
	at       int
	digest   uint64
	count    int
	min, max int
}

// NewChunker returns a Chunker that cuts no chunk smaller than MinChunk, but the last, and none larger than MaxChunk.
func NewChunker() *Chunker { return newChunker(MinChunk, MaxChunk) }

func newChunker(lo, hi int) *Chunker {
	c := &Chunker{min: lo, max: hi}
	for bit := range 8 {
		h := uint64(1) << bit
		for range rabinWindow - 1 {
			h = polyMod(h << 8)
		}
		c.out[1<<bit] = h
	}
	for b := range c.out {
		low := b & -b
		c.out[b] = c.out[low] ^ c.out[b^low] // both tables are linear
		c.mod[b] = polyMod(uint64(b)<<rabinDegree) | uint64(b)<<rabinDegree
	}
	c.reset()
	return c
}

// polyMod is the remainder of a polynomial over GF(2) divided by the fingerprint's.
func polyMod(x uint64) uint64 {
	for bit := 63; bit >= rabinDegree; bit-- {
		if x>>bit&1 == 1 {
			x ^= rabinPoly << (bit - rabinDegree)
		}
	}
	return x
}

func (c *Chunker) reset() {
	c.window, c.at, c.digest, c.count = [rabinWindow]byte{}, 0, 0, 0
	c.slide(1)
}

func (c *Chunker) slide(b byte) {
	c.digest ^= c.out[c.window[c.at]]
	c.window[c.at] = b
	c.at = (c.at + 1) % rabinWindow
	top := byte(c.digest >> (rabinDegree - 8))
	c.digest = (c.digest<<8 | uint64(b)) ^ c.mod[top]
}

// Next returns how many bytes of p belong to the present chunk, and whether it ends with them. What is left of p belongs to the next
// chunk, and is to be given again. When the stream ends, what was not cut is the last chunk.
func (c *Chunker) Next(p []byte) (n int, end bool) {
	// The fingerprint is that of the window: what is not in it when the chunk may end need not be looked at.
	skip := min(max(c.min-rabinWindow-c.count, 0), len(p))
	c.count += skip
	for i, b := range p[skip:] {
		c.slide(b)
		c.count++
		if c.count >= c.min && c.digest&rabinMask == 0 || c.count >= c.max {
			c.reset()
			return skip + i + 1, true
		}
	}
	return len(p), false
}
