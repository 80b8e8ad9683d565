package pebble

import ("fmt";"math/rand/v2";"testing";"github.com/hypernode/hypernode/datastore")

func BenchmarkInline(b *testing.B) {
	for _, n := range []int{1, 1000} {
	for _, inline := range []int{256, 1024} {
		b.Run(fmt.Sprintf("n=%d/inline=%d", n, inline), func(b *testing.B) {
			e := mustOpen(b, b.TempDir(), Options{Inline: inline})
			block := make([]byte, 600)
			_, _ = rand.NewChaCha8([32]byte{}).Read(block)
			batch, at := &datastore.Batch{}, uint64(0)
			for b.Loop() {
				coreLike(batch, at, n, block)
				at += uint64(n)
				if err := e.Commit(batch, false); err != nil { b.Fatal(err) }
			}
			_ = e.flush()
			mustClose(b, e)
		})
	}}
}
