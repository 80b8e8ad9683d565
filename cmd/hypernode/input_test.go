package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// The groups of the input, put together, are its lines, however the reader cuts it.
func TestInputIsItsLines(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		text := make([]byte, r.IntN(100_000))
		for i := range text {
			text[i] = "abc\n"[min(r.IntN(1+r.IntN(2000)), 3)]
		}
		want := strings.Split(string(text), "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		in := input{stdin: iotest.HalfReader(strings.NewReader(string(text))), files: []string{"-"}, lines: true, limit: 1 << 20}
		var got []string
		for {
			blocks, err := in.next(t.Context())
			for _, b := range blocks {
				got = append(got, string(b))
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d lines, want %d", len(got), len(want))
		}
	}
}

// A read that never returns does not keep an interrupt waiting.
func TestPatientReader(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	defer w.Close()
	done := make(chan error)
	go func() {
		_, err := (&patientReader{ctx, r}).Read(make([]byte, 8))
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
