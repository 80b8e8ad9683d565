package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/node"
)

// Scripts depend on the numbers: this table is changed on purpose or not at all.
func TestExitCodes(t *testing.T) {
	want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 130}
	var got []int
	for _, c := range exitCodes() {
		got = append(got, c.code)
		if c.meaning == "" {
			t.Errorf("code %d has no meaning", c.code)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("codes %v, want %v", got, want)
	}
	for _, k := range knownErrors() {
		if !slices.Contains(want, k.code) {
			t.Errorf("%v has the code %d, which is not documented", k.err, k.code)
		}
	}
}

func TestJudge(t *testing.T) {
	tests := []struct {
		name string
		err  error
		code int
	}{
		{"none", nil, 0},
		{"unknown", errors.New("odd"), 1},
		{"interrupted", fmt.Errorf("reading: %w", context.Canceled), 130},
		{"conflict", &core.ConflictError{}, 6},
		{"rolled back", core.ErrRolledBack, 6},
		{"not writable", core.ErrNotWritable, 7},
		{"too large", core.ErrBlockSize, 7},
		{"primary key", corestore.ErrPrimaryKey, 7},
		{"format", datastore.ErrFormat, 7},
		{"rights", os.ErrPermission, 7},
		{"locked", fmt.Errorf("%w by process 7", datastore.ErrLocked), 11},
		{"encrypted", core.ErrEncrypted, 12},
		{"corrupt block", &core.CorruptError{Block: 7}, 13},
		{"corrupt record", &datastore.CorruptError{}, 13},
		{"corrupt, as a file is gone", fmt.Errorf("%w: %w", datastore.ErrCorrupt, os.ErrNotExist), 13},
		{"missing core", core.ErrNotFound, 4},
		{"missing block", core.ErrNotAvailable, 4},
		{"missing file", os.ErrNotExist, 4},
		{"full", datastore.ErrNoSpace, 1},
		{"own", fmt.Errorf("reading: %w", fail(exitNoStore, "x", "none")), 10},
		{"own before known", fail(exitSecret, "x", "%w", core.ErrNotFound), 12},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if code, _ := judge(fmt.Errorf("doing: %w", tt.err)); tt.err != nil && code != tt.code {
				t.Errorf("code %d, want %d", code, tt.code)
			}
			if code, _ := judge(tt.err); code != tt.code {
				t.Errorf("code %d, want %d", code, tt.code)
			}
		})
	}
}

func TestParseRange(t *testing.T) {
	tests := []struct {
		text string
		want blockRange
		code int
	}{
		{"0", blockRange{0, 1}, 0}, {"9", blockRange{9, 10}, 0}, {"10", blockRange{}, 4},
		{"..", blockRange{0, 10}, 0}, {"3..", blockRange{3, 10}, 0}, {"..3", blockRange{0, 3}, 0},
		{"3..5", blockRange{3, 5}, 0}, {"5..5", blockRange{5, 5}, 0}, {"10..", blockRange{10, 10}, 0},
		{"11..", blockRange{}, 4}, {"3..11", blockRange{}, 4}, {"11..12", blockRange{}, 4}, {"5..3", blockRange{}, 2},
		{"", blockRange{}, 2}, {"x", blockRange{}, 2}, {"-1", blockRange{}, 2}, {"1..2..3", blockRange{}, 2},
		{"0x1", blockRange{}, 2}, {" 1", blockRange{}, 2}, {"9007199254740992", blockRange{}, 2}, {"..18446744073709551616", blockRange{}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := parseRange(tt.text, 10)
			if code, _ := judge(err); code != tt.code || err == nil && got != tt.want {
				t.Errorf("%v, %v (code %d); want %v, code %d", got, err, code, tt.want, tt.code)
			}
		})
	}
}

// What append prints must be what get reads.
func TestRangeTextIsParsed(t *testing.T) {
	for start := range uint64(12) {
		for end := start + 1; end < 12; end++ {
			r := blockRange{start, end}
			if got, err := parseRange(r.String(), 12); err != nil || got != r {
				t.Errorf("%s is read as %v, %v", r, got, err)
			}
		}
	}
}

func TestRanges(t *testing.T) {
	if got := ranges([]uint64{1, 2, 3, 7, 9, 10}); got != "1..4 7 9..11" {
		t.Error(got)
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"0", "1..2", "..", "3..", "..3", "18446744073709551615..", "-1"} {
		f.Add(s, uint64(10))
	}
	f.Fuzz(func(t *testing.T, s string, length uint64) {
		if r, err := parseRange(s, length); err == nil && (r.start > r.end || r.end > length) {
			t.Errorf("%q of %d is %v", s, length, r)
		}
	})
}

func TestParseRef(t *testing.T) {
	k := keys.Key(keys.Hash([]byte("x")))
	same := []string{k.String(), k.Hex(), strings.ToUpper(k.Hex()), "hyper://" + k.String(), "hyper://" + k.Hex() + "/", "pear://" + k.String()}
	for _, s := range same {
		if r, err := parseRef(s); err != nil || r.key != k || r.name != "" {
			t.Errorf("%s is %v, %v", s, r, err)
		}
	}
	for _, s := range []string{"log", "a/b", strings.Repeat("x", 64), k.String() + "y", "Ünï cödé", "hyper:"} {
		if r, err := parseRef(s); err != nil || r.name != s || !r.key.IsZero() {
			t.Errorf("%s is %v, %v", s, r, err)
		}
	}
	bad := []string{"", "hyper://", "hyper://log", "x://" + k.String(), "hyper://" + k.String() + "/a", "hyper://" + k.String() + "@3", "\xff", strings.Repeat("x", 513), strings.Repeat("0", 64)}
	for _, s := range bad {
		_, err := parseRef(s)
		if code, _ := judge(err); code != exitUsage {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	k := keys.Key(keys.Hash([]byte("x")))
	for _, s := range []string{"log", k.String(), k.Hex(), "hyper://" + k.String(), "hyper://x/y@z", "pear://", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseRef(s)
		if err != nil {
			return
		}
		if (r.name == "") == r.key.IsZero() {
			t.Fatalf("%q is %#v", s, r)
		}
		if again, err := parseRef(address(r.key)); r.name == "" && (err != nil || again != r) {
			t.Fatalf("%q is shown as %s, which is %v, %v", s, r, again, err)
		}
		if shown := r.String(); oneLine(shown) != shown {
			t.Fatalf("%q is shown as %q", s, shown)
		}
	})
}

func TestOneLineIsFitForTerminals(t *testing.T) {
	for in, want := range map[string]string{
		"plain":            "plain",
		"a\nb\n":           "a; b",
		"\x1b[31mred\x07":  `\x1b[31mred\a`,
		"tab\tand\rreturn": `tab\tand\rreturn`,
		"\u202egnp.exe":    `\u202egnp.exe`,
		"bad \xff utf-8":   "bad \ufffd utf-8",
		"Ünï \"cödé\" 'x'": "Ünï \"cödé\" 'x'",
		"c1 \u009b31m":     `c1 \u009b31m`,
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"log": "log", "a b": `"a b"`, "a\tb": `"a\tb"`, `a"b`: `"a\"b"`, "": `""`, "ä": "ä", "\u202e": `"\u202e"`,
	} {
		if got := plain(in); got != want {
			t.Errorf("%q is shown as %s, want %s", in, got, want)
		}
	}
}

func TestDataFolder(t *testing.T) {
	abs := func(s string) string { p, _ := filepath.Abs(s); return p }
	home, xdg := abs("home"), abs("xdg")
	tests := []struct {
		name, system string
		env          map[string]string
		want         string
	}{
		{"linux", "linux", map[string]string{"HOME": home}, filepath.Join(home, ".local", "share")},
		{"xdg", "linux", map[string]string{"HOME": home, "XDG_DATA_HOME": xdg}, xdg},
		{"relative xdg", "linux", map[string]string{"HOME": home, "XDG_DATA_HOME": "xdg"}, filepath.Join(home, ".local", "share")},
		{"mac", "darwin", map[string]string{"HOME": home}, filepath.Join(home, "Library", "Application Support")},
		{"windows", "windows", map[string]string{"LOCALAPPDATA": home}, home},
		{"none", "linux", nil, ""},
		{"relative home", "linux", map[string]string{"HOME": "home"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := &app{getenv: func(k string) string { return tt.env[k] }}
			got, err := a.dataFolder(tt.system)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestSeedRow(t *testing.T) {
	tests := []struct {
		seed node.Seed
		runs bool
		want string
	}{
		{node.Seed{}, false, "-"},
		{node.Seed{Length: 5, Contiguous: 3, Peers: 1}, true, "3 of 5 blocks, 1 peer"},
		{node.Seed{Length: 5, Contiguous: 3, Content: &node.Part{Length: 7, Contiguous: 4}}, true, "7 of 12 blocks, 0 peers"},
		{node.Seed{SeedOptions: node.SeedOptions{MaxBytes: 1024}, Limited: node.LimitedByQuota}, true, "0 of 0 blocks, 0 peers, at its quota of 1.0 KiB"},
		{node.Seed{Limited: node.LimitedByStore}, true, "0 of 0 blocks, 0 peers, the store is full"},
		{node.Seed{Failed: "drive: torn\nheader"}, true, `0 of 0 blocks, 0 peers, failed: torn\nheader`},
	}
	for _, tt := range tests {
		if row := seedRow(tt.seed, tt.runs); row[1] != tt.want {
			t.Errorf("%+v: %q, want %q", tt.seed, row[1], tt.want)
		}
	}
}
