package blake2x

import (
	"fmt"
	"testing"

	"golang.org/x/crypto/blake2b"
)

// batchOf returns n messages of a 9-byte head, as leaves have, and size bytes of data each.
func batchOf(n, size int) []Message {
	in := make([]Message, n)
	for i := range in {
		in[i] = Message{Head: make([]byte, 9), Data: make([]byte, size)}
	}
	return in
}

// BenchmarkSum256 hashes 16 messages in a call; those of 64 bytes are parents, the others leaves. The case "library" is one call
// of golang.org/x/crypto for each message, over the same bytes in one piece. MB/s do not count the heads.
func BenchmarkSum256(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 10, 128, 64} {
		in := batchOf(16, size)
		whole := make([]byte, 9+size)
		b.Run(fmt.Sprintf("%d/library", size), func(b *testing.B) {
			b.SetBytes(int64(len(in) * size))
			for b.Loop() {
				for range in {
					blake2b.Sum256(whole)
				}
			}
		})
		for _, k := range kernels() {
			b.Run(fmt.Sprintf("%d/%v", size, k), func(b *testing.B) { benchmark(b, k, in) })
		}
	}
}

// BenchmarkMixed hashes 64 messages whose sizes differ.
func BenchmarkMixed(b *testing.B) {
	var in []Message
	for i := range 64 {
		in = append(in, batchOf(1, i*i*37%9001)...)
	}
	for _, k := range kernels() {
		b.Run(k.String(), func(b *testing.B) { benchmark(b, k, in) })
	}
}

// BenchmarkFew hashes fewer messages of 1 KiB than there are lanes.
func BenchmarkFew(b *testing.B) {
	for n := 1; n <= 8; n++ {
		for _, k := range kernels() {
			b.Run(fmt.Sprintf("%d/%v", n, k), func(b *testing.B) { benchmark(b, k, batchOf(n, 1<<10)) })
		}
	}
}

func benchmark(b *testing.B, k kernel, in []Message) {
	out := make([][Size]byte, len(in))
	bytes := 0
	for i := range in {
		bytes += len(in[i].Data)
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		sum256(k, out, in)
	}
}
