package main

import (
	"context"
	"os"
	"strings"
	"testing"
)

// TestMain makes the test what it starts.
func TestMain(m *testing.M) {
	if os.Getenv(othersVar) != "" {
		if err := serveOthers(context.Background()); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestRows measures nearly every row once, at a small size.
func TestRows(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	l, err := newLab(t.Context(), t.TempDir(), "", true)
	if err != nil {
		t.Fatal(err)
	}
	var results []result
	for _, r := range rows() {
		if r.name == "get-quic" || r.name == "get-websocket" || r.name == "idle-cpu" {
			continue // as others
		}
		got, err := l.measure(t.Context(), r, 1)
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		if v := got.samples[0].value; v <= 0 {
			t.Errorf("%s is %v", r.name, v)
		}
		results = append(results, got)
	}
	var text strings.Builder
	if err := table(&text, results, 1); err != nil || !strings.Contains(text.String(), "WebTransport") {
		t.Errorf("%v: %s", err, text.String())
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		row   row
		value float64
		want  string
	}{
		{row{target: 200}, 201, "met"}, {row{target: 200}, 199, "MISSED"}, {row{target: 200}, 200, "met"},
		{row{target: 20, lower: true}, 19, "met"}, {row{target: 20, lower: true}, 21, "MISSED"}, {row{}, 1, ""},
	} {
		if _, got := c.row.verdict(c.value); got != c.want {
			t.Errorf("%v of %v: %q", c.value, c.row.target, got)
		}
	}
}
