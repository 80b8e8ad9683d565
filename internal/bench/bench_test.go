package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hypernode/hypernode/datastore"
)

// TestSteps runs all steps at a small size: the tree hash they check is that of the JavaScript stack.
func TestSteps(t *testing.T) {
	for _, d := range []datastore.Durability{datastore.Process, datastore.Full} {
		r := newResults()
		for _, g := range groups(true, 20) {
			if g.task.Size != 0 {
				g.task.Count, g.task.Gets, g.task.Batch = 2000, 100, min(g.task.Batch, 500)
			}
			if g.name == "64k" {
				g.task.Count = 50
			}
			if g.name == "1" && d == datastore.Full {
				g.task.Count = 50
			}
			g.task.Name, g.task.Durability, g.task.Dir = g.name, d.String(), t.TempDir()
			for _, g.task.Step = range g.steps {
				f, err := do(t.Context(), &g.task)
				if err != nil {
					t.Fatal(g.name, g.task.Step, err)
				}
				r.add(d.String(), f)
			}
		}
		for _, row := range rows() {
			if v, ok := median(r.values[d.String()][row.figure]); !ok || v <= 0 && row.figure != "cores.rss" || math.IsInf(v, 0) {
				t.Errorf("%s, durability %v: %v", row.figure, d, v)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	f, err := do(t.Context(), &task{Step: "limits", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows() {
		if row.limit != nil && !(row.limit(f) > 0) {
			t.Errorf("%s: limit %v", row.figure, row.limit(f))
		}
	}
}

func TestPool(t *testing.T) {
	p, err := newPool()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(p)
	if got := fmt.Sprintf("%x", p[:8]); got != "66e94bd4ef8a2c3b" || len(p) != 8<<20 {
		t.Errorf("the keystream begins with %s, SHA-256 %x", got, sum)
	}
	for _, i := range []uint64{0, 1, 2046, 1 << 40} {
		b := p.block(nil, i, 1024)
		if !p.is(b, i, 1024) || p.is(b, i+1, 1024) {
			t.Errorf("block %d is not itself", i)
		}
		b[1023] ^= 1
		if p.is(b, i, 1024) {
			t.Errorf("block %d is another", i)
		}
	}
	draw := rng(42)
	if a, b := draw.next(1000), draw.next(1000); a >= 1000 || b >= 1000 || a == b {
		t.Errorf("drew %d, %d", a, b)
	}
}

func TestTable(t *testing.T) {
	o, err := parse([]string{"-workload", "append", "-dir", "/nowhere"})
	if err != nil {
		t.Fatal(err)
	}
	r := newResults()
	for _, v := range []float64{8000, 12345, 50000} {
		r.add("process", figures{"append.1": v, "append.64k.mib": 600})
		r.add("limits", figures{"sign": 20})
	}
	var out bytes.Buffer
	if err := r.table(&out, &o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"12,345", "(8,000..50,000)", "MISSED", "met", "3.0x", "sign 20"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	out.Reset()
	if err := r.json(&out, &o); err != nil || strings.Count(out.String(), "\n") != 3 {
		t.Errorf("%v\n%s", err, &out)
	}
	if p := percentile([]time.Duration{3000, 1000, 2000}, 50); p != 2 {
		t.Errorf("median %v µs", p)
	}
	if _, err := parse([]string{"-runs", "0"}); err == nil {
		t.Error("no runs at all")
	}
}
