package corestore_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

// TestManyCores: an open core that is idle costs little memory and no goroutine.
func TestManyCores(t *testing.T) {
	if testing.Short() {
		t.Skip("measures memory, which the race detector takes more of")
	}
	const cores, most = 3000, 4 << 10
	db := onDisk(t, t.TempDir())
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	for i := range cores {
		c := open(t, s, corestore.Name(fmt.Sprint(i)))
		appendTo(t, c, "one block")
		c.Close()
	}
	before, goroutines := heap(), runtime.NumGoroutine()
	handles := make([]*core.Core, cores)
	for i := range handles {
		handles[i] = open(t, s, corestore.Name(fmt.Sprint(i)))
	}
	per := (heap() - before) / cores
	t.Logf("%d bytes for each open core", per)
	if per > most {
		t.Errorf("%d bytes for each open core, want at most %d", per, most)
	}
	if n := runtime.NumGoroutine(); n > goroutines+10 {
		t.Errorf("%d goroutines, before %d", n, goroutines)
	}
	runtime.KeepAlive(handles)
}

// heap is the memory in use after a collection.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

func BenchmarkOpen(b *testing.B) {
	s := openStore(b, onDisk(b, b.TempDir()), corestore.Options{PrimaryKey: testKey})
	const cores = 1000
	for i := range cores {
		c := open(b, s, corestore.Name(fmt.Sprint(i)))
		appendTo(b, c, "one block")
		c.Close()
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c := open(b, s, corestore.Name(fmt.Sprint(i%cores)))
		c.Close()
	}
}

func BenchmarkCreate(b *testing.B) {
	s := openStore(b, onDisk(b, b.TempDir()), corestore.Options{PrimaryKey: testKey})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		open(b, s, corestore.Name(fmt.Sprint(i))).Close()
	}
}
