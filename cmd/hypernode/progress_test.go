package main

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rater
		if got, want := r.describe("block", progress{}), "0 blocks, 0 B, 0 B/s, 0 peers"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		for i := range uint64(20) {
			time.Sleep(time.Second)
			r.describe("block", progress{Done: i + 1, Total: 50, Bytes: (i + 1) << 20, Peers: 2})
		}
		got := r.describe("block", progress{Done: 20, Total: 50, Bytes: 20 << 20, Peers: 2})
		if want := "20 of 50 blocks (40 %), 20.0 MiB, 1.0 MiB/s, 30s left, 2 peers"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		got = r.describe("block", progress{Done: 50, Total: 50, Bytes: 50 << 20, Peers: 1})
		if want := "50 of 50 blocks (100 %), 50.0 MiB, 1.0 MiB/s, 1 peer"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
