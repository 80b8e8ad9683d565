package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// TestMain makes a process of the test binary do a task, as the command does.
func TestMain(m *testing.M) {
	if text := os.Getenv(taskVar); text != "" {
		if err := serve(context.Background(), text); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestWire runs all groups of the wire at a small size, in processes of their own, and prints their table.
func TestWire(t *testing.T) {
	if testing.Short() {
		t.Skip("30 processes")
	}
	r := newResults()
	o, err := parse([]string{"-runs", "1", "-rows", "wire", "-dir", "/nowhere"})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range wireGroups(true) {
		if g.awake && !canGiveWay {
			continue
		}
		for i := range g.cores {
			g.cores[i].Count = min(g.cores[i].Count, 200)
		}
		g.gets, g.fresh = min(g.gets, 20), min(g.fresh, 2)
		if err := g.measure(t.Context(), &o, t.TempDir(), r); err != nil {
			t.Fatal(g.name, err)
		}
	}
	for _, row := range wireRows() {
		if row.group() == "awake" && !canGiveWay {
			continue
		}
		if v, ok := median(r.values["wire"][row.figure]); !ok || v <= 0 || math.IsInf(v, 0) {
			t.Errorf("%s: %v", row.figure, v)
		}
	}
	var out bytes.Buffer
	if err := r.print(&out, &o); err != nil {
		t.Fatal(err)
	}
	for _, row := range wireRows() {
		if row.group() == "awake" && !canGiveWay {
			continue
		}
		if !strings.Contains(out.String(), row.what) {
			t.Errorf("no row %q in\n%s", row.what, &out)
		}
	}
	if r.values["wire"]["wire.64k.served"][0] <= 0 || r.values["wire"]["wire.64k.cpu"][0] <= 0 {
		t.Error("no CPU time was measured")
	}
}
