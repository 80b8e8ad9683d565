package blake2x_test

import (
	"encoding/binary"
	"fmt"

	"github.com/hypernode/hypernode/internal/blake2x"
)

// The leaves of a Merkle tree: each begins with 0 and the length of its block.
func ExampleSum256() {
	blocks := []string{"", "hello", "world"}
	heads := make([][9]byte, len(blocks))
	in := make([]blake2x.Message, len(blocks))
	for i, block := range blocks {
		binary.LittleEndian.PutUint64(heads[i][1:], uint64(len(block)))
		in[i] = blake2x.Message{Head: heads[i][:], Data: []byte(block)}
	}
	out := make([][blake2x.Size]byte, len(in))
	blake2x.Sum256(out, in)
	fmt.Printf("%x\n", out[0])
	// Output: 5187b7a8021bf4f2c004ea3a54cfece1754f11c7624d2363c7f4cf4fddd1441e
}
