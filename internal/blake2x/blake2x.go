// Package blake2x computes the unkeyed BLAKE2b-256 (RFC 7693) of many independent messages at once.
//
// The leaves and parents of a Merkle tree do not depend on their neighbours, so the vector units of a CPU can hash
// several of them side by side, one message to a lane: eight with AVX-512, four with AVX2. Start with [Sum256]. Elsewhere,
// and under the build tag purego, it hashes one message after the other with golang.org/x/crypto/blake2b.
//
// Invariant: the result is that of BLAKE2b-256 over Head followed by Data, whatever the CPU and whatever the
// neighbours in the batch. Messages are read in place, never beyond their ends, and nothing of them is kept.
package blake2x

// Size is the length of a hash in bytes.
const Size = 32

// blockSize is how many bytes one compression takes in.
const blockSize = 128

// Message is Head followed by Data. Head is meant for the few bytes that are not stored with Data, such as a type byte and a
// length: blocks that hold part of it are copied, while Data is read in place. Either may be empty; each may have any length.
type Message struct {
	Head []byte
	Data []byte
}

// Sum256 writes the BLAKE2b-256 of in[i] to out[i], for each i. The order of the messages has no influence on the hashes;
// it is fastest when neighbours are of similar length. It panics when out is shorter than in, and leaves what is
// beyond len(in) as it was. No out[i] may lie in the memory of a message. It allocates at most one hash state in a call.
func Sum256(out [][Size]byte, in []Message) {
	sum256(bestKernel(), out[:len(in)], in)
}

func sum256(k kernel, out [][Size]byte, in []Message) {
	if k == plain {
		sumPlain(out, in)
		return
	}
	sumLanes(k, out, in)
}

// kernel names an implementation; an amd64 CPU may have several.
type kernel int

const (
	plain  kernel = iota // golang.org/x/crypto, one message at a time
	avx2                 // 4 lanes
	avx512               // 8 lanes
)

// String returns the name of k for tests and benchmarks.
func (k kernel) String() string { return [...]string{"plain", "avx2", "avx512"}[k] }
