package main

import (
	"bytes"
	"context"
	"strings"
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

// What stands still is not foretold to end in a thousand years.
func TestRaterStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rater
		p := progress{Done: 1, Total: 2, Bytes: 1 << 20, TotalBytes: 1 << 30, Peers: 0}
		r.describe("file", progress{Peers: 0, TotalBytes: 1 << 30})
		for range 100 {
			time.Sleep(time.Second)
			r.describe("file", p)
		}
		if got, want := r.describe("file", p), "1 of 2 files, 1.0 MiB of 1.0 GiB (0 %), 0 B/s, 0 peers"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestBar(t *testing.T) {
	for _, test := range []struct {
		p     progress
		text  string
		width int
		want  string
	}{
		{progress{Done: 1, Total: 4}, "text", 80, "[#####...............] text"},
		{progress{Done: 1, Total: 4, Bytes: 3, TotalBytes: 4}, "text", 80, "[###############.....] text"},
		{progress{Bytes: 9, TotalBytes: 4}, "text", 80, "[####################] text"},
		{progress{}, "text", 80, "text"},
		{progress{Done: 1, Total: 4}, "text", 40, "text"},
		{progress{}, "äöü text", 8, "äöü tex"},
		{progress{}, "text", 0, ""},
	} {
		if got := bar(test.p, test.text, test.width); got != test.want {
			t.Errorf("%+v, %d wide: %q, want %q", test.p, test.width, got, test.want)
		}
	}
}

// A line of talk takes the place of the bar, which is drawn again below it and taken away in the end.
func TestTalkBesideBar(t *testing.T) {
	var b bytes.Buffer
	a := &app{stderr: &b}
	a.say("one")
	a.draw("half")
	a.say("two")
	a.draw("")
	a.draw("more")
	a.draw("")
	want := "hypernode: one\n" + eraseLine + "half" + eraseLine + "hypernode: two\n" + eraseLine + "more" + eraseLine
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// Progress is a line every few seconds for a file, a bar for a terminal, a document with --json, nothing with --quiet.
func TestReport(t *testing.T) {
	for name, test := range map[string]struct {
		app   *app
		want  string
		times int
	}{
		"file":     {&app{}, "hypernode: 1 of 2 files, 1.0 KiB of 2.0 KiB (50 %), 0 B/s, 1 peer\n", 1},
		"terminal": {&app{onTerminal: true}, eraseLine + "[##########..........] 1 of 2 files, 1.0 KiB of 2.0 KiB (50 %), 0 B/s, 1 peer", 19},
		"json":     {&app{json: true}, `{"progress":{"done":1,"total":2,"bytes":1024,"total_bytes":2048,"rate":0,"peers":1}}` + "\n", 3},
		"quiet":    {&app{quiet: true}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b bytes.Buffer
				test.app.stderr = &b
				ctx, cancel := context.WithTimeout(t.Context(), 3900*time.Millisecond)
				defer cancel()
				test.app.report(ctx, "file", func() progress { return progress{Done: 1, Total: 2, Bytes: 1 << 10, TotalBytes: 2 << 10, Peers: 1} })
				if got := strings.TrimSuffix(b.String(), eraseLine); got != strings.Repeat(test.want, test.times) {
					t.Errorf("%q, want %d times %q", got, test.times, test.want)
				}
			})
		})
	}
}
