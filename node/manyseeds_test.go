package node_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/node"
)

// TestManySeeds has a node keep many drives of somebody else's, who seeds them too. Once they are complete they cost no
// goroutine, and little memory; and what is added to one of them comes all the same. HYPERNODE_SEEDS is how many.
func TestManySeeds(t *testing.T) {
	count := 200
	if text := os.Getenv("HYPERNODE_SEEDS"); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	boot := start(t, local())
	cost := func(what string, r *running, list []keys.Key) {
		t.Helper()
		goroutines, bytes, began := runtime.NumGoroutine(), inUse(), time.Now()
		for _, k := range list {
			if err := r.Seed(t.Context(), k, node.SeedOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		until(t, what, func() bool { return complete(r) == len(list) })
		took := time.Since(began)
		until(t, "rest", func() bool { return runtime.NumGoroutine() <= goroutines+20 })
		each := (inUse() - bytes) / len(list)
		t.Logf("%s: %d after %s; then %d goroutines more, %d bytes each", what, len(list), took.Round(time.Millisecond),
			runtime.NumGoroutine()-goroutines, each)
		if each > 64<<10 {
			t.Errorf("%s: %d bytes each", what, each)
		}
	}
	origin, b := start(t, local(boot)), start(t, local(boot))
	var drives []*drive.Drive
	var list []keys.Key
	for i := range count {
		d, err := drive.Create(t.Context(), origin.Store(), drive.Name(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		if err := d.WriteFile(t.Context(), "/a", []byte("contents"), drive.Meta{}); err != nil {
			t.Fatal(err)
		}
		drives, list = append(drives, d), append(list, d.Key())
	}
	until(t, "the network", func() bool { return b.Status().Networks[0].Nodes > 1 })
	cost("own drives", origin, list)
	cost("copies", b, list)
	last := drives[count/2]
	if err := last.WriteFile(t.Context(), "/b", []byte("more contents"), drive.Meta{}); err != nil {
		t.Fatal(err)
	}
	until(t, "what was added", func() bool {
		s, _ := seeded(b, last.Key())
		return s.Length == last.Version() && s.Contiguous == s.Length && s.Content.Length == 2 && s.Content.Contiguous == 2
	})
}

// complete is how many seeds are here whole.
func complete(r *running) (n int) {
	for _, s := range r.Seeds() {
		if s.Length > 0 && s.Contiguous == s.Length && s.Content != nil && s.Content.Length > 0 && s.Content.Contiguous == s.Content.Length {
			n++
		}
	}
	return n
}

// inUse is how many bytes are in use.
func inUse() int {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
