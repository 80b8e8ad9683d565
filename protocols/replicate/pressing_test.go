package replicate

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/datastore"
)

// appliedBy gets a block and tells whether the goroutine that reads has applied it.
func appliedBy(t *testing.T, session *Replicator, i uint64) (reader bool) {
	t.Helper()
	var stack [16 << 10]byte
	n := 0
	want := core.Want{Blocks: []uint64{i}, Priority: 1, Progress: func(uint64, uint64) { n = runtime.Stack(stack[:], false) }}
	if err := session.Fetch(within(t), want); err != nil {
		t.Fatal(err)
	}
	reads, applies := strings.Contains(string(stack[:n]), "ReadLoop"), strings.Contains(string(stack[:n]), "applyLoop")
	if reads == applies {
		t.Fatalf("block %d was applied by neither:\n%s", i, stack[:n])
	}
	return reads
}

// Who applies an answer: the goroutine that reads when nothing else is to be done, and not after that has held it up.
func TestPressing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newNode(t, Options{}), newNode(t, Options{})
		w := a.writer("log", 100)
		r := b.open(corestore.Key(w.Key()))
		c := connect(t, a, b)
		mustReach(t, r, 100)
		synctest.Wait()
		session := b.set.Core(r.DiscoveryKey())
		st := b.set.list()[0]

		if !appliedBy(t, session, 1) {
			t.Error("alone: by another goroutine")
		}
		st.applying.take()
		time.AfterFunc(time.Millisecond, st.applying.pass)
		if appliedBy(t, session, 2) {
			t.Error("while others are applied: by the goroutine that reads")
		}
		synctest.Wait() // until the other one has let go

		begun, done := make(chan struct{}), make(chan error, 1)
		go func() { // the store is busy
			done <- b.db.Update(t.Context(), func(*datastore.Tx) error { close(begun); time.Sleep(2 * pressingTime); return nil })
		}()
		<-begun
		mustGet(t, r, 3, block(3)) // the goroutine that reads waits for it
		if err := <-done; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if appliedBy(t, session, 4) {
			t.Error("after it was held up: by the goroutine that reads")
		}
		time.Sleep(pressingPause + time.Millisecond)
		if !appliedBy(t, session, 5) {
			t.Error("some time after that: by another goroutine")
		}
		c.cut()
	})
}
