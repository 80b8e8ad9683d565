package resident

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestKeeper(t *testing.T) {
	var did []int
	k := keeper{
		percent: func(p int) { did = append(did, p) }, shrink: func() { did = append(did, 0) }, drop: func() { did = append(did, 1) },
	}
	ticks := func(n int, bytes uint64) {
		for range n {
			k.tick(bytes)
		}
	}
	k.begin()
	ticks(quiet-1, 0)
	ticks(3, busyBytes) // still busy: the count begins anew
	ticks(quiet+2*again, busyBytes-1)
	ticks(2, busyBytes)
	ticks(quiet+again-1, 0)
	want := []int{busyPercent, idlePercent, 0, 1, 1, busyPercent, idlePercent, 0}
	if !slices.Equal(did, want) {
		t.Fatalf("%v, not %v", did, want)
	}
}

func TestKeepEnds(t *testing.T) {
	t.Setenv("GOGC", "100")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		Keep(ctx)
		if ctx.Err() == nil {
			t.Fatal("it ended early")
		}
	})
}
