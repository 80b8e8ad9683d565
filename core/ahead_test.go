package core

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/datastore"
)

// far returns a log with some blocks, and its copy that has nothing yet and asks over a line with a round trip of 50 ms.
func far(t *testing.T, count int) (writer, reader *Core) {
	t.Helper()
	writer = openCore(t, memoryDB(t, datastore.Options{}), Options{Pair: pairOf(1)})
	for i := range count {
		if _, err := writer.Append(t.Context(), fmt.Appendf(nil, "block %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	s := newFakeSource(writer, 1)
	s.hold = func(ctx context.Context) error {
		select {
		case <-time.After(50 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	reader = openCore(t, memoryDB(t, datastore.Options{}), Options{Key: writer.Key(), Source: s})
	if err := reader.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	return writer, reader
}

func TestBlocksAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const count = 1000
		_, reader := far(t, count)
		start, n := time.Now(), 0
		for b, err := range reader.Blocks(t.Context(), 0, count) {
			if err != nil || string(b) != fmt.Sprintf("block %d", n) {
				t.Fatalf("block %d is %q: %v", n, b, err)
			}
			n++
		}
		// Windows of 8, 16, …, 512 blocks.
		if took := time.Since(start); n != count || took > 8*50*time.Millisecond {
			t.Errorf("%d blocks in %v", n, took)
		}
	})
}

// What is read of the beginning must not fetch the whole.
func TestBlocksAheadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, reader := far(t, 1000)
		for _, err := range reader.Blocks(t.Context(), 100, 1000) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		synctest.Wait()
		held, err := reader.Held(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		var n uint64
		for _, r := range held {
			n += r.End - r.Start
		}
		if n == 0 || n > aheadFirst {
			t.Errorf("%d blocks were fetched for one: %v", n, held)
		}
	})
}

func TestBlocksAheadOfLargeOnes(t *testing.T) {
	writer := openCore(t, memoryDB(t, datastore.Options{}), Options{Pair: pairOf(1)})
	a := &ahead{core: writer}
	if got := a.most(); got != aheadMost {
		t.Errorf("%d blocks ahead in an empty log", got)
	}
	if _, err := writer.Append(t.Context(), make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if got := a.most(); got < aheadFirst || got > aheadBytes>>20 {
		t.Errorf("%d blocks of 1 MiB ahead", got)
	}
}
