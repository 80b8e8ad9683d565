package interop

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// workload is a row of the speed comparison.
type workload struct {
	count, size, batch int
}

func workloads(scale int) []workload {
	list := []workload{{16384, 65536, 64}, {200_000, 100, 1000}, {200_000, 1024, 1000}}
	for i := range list {
		list[i].count = max(list[i].count*scale/1000, 1)
	}
	return list
}

func number(t *testing.T, env string, otherwise int) int {
	text := os.Getenv(env)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q", env, text)
	}
	return n
}

// pairing is who reads from whom.
type pairing struct{ source, reader string }

func (p pairing) String() string { return p.source + " to " + p.reader }

func pairings() []pairing {
	return []pairing{{"Go", "Go"}, {"JS", "Go"}, {"Go", "JS"}, {"JS", "JS"}}
}

// leastRatio is how much of the speed between two JavaScript peers there must be with one of them ours.
const leastRatio = 0.95

// TestSpeed copies cores between two processes over TCP on loopback, from disk to disk: ours and JavaScript ones, all
// pairings in turn, so that a machine that is busy is so for all. HYPERNODE_BENCH_JS=1 runs it; HYPERNODE_BENCH_SCALE makes
// the logs shorter, in thousandths, HYPERNODE_BENCH_ROUNDS is how often each is copied.
func TestSpeed(t *testing.T) {
	if os.Getenv("HYPERNODE_BENCH_JS") == "" {
		t.Skip("HYPERNODE_BENCH_JS is not set")
	}
	rounds := number(t, "HYPERNODE_BENCH_ROUNDS", 5)
	for _, w := range workloads(number(t, "HYPERNODE_BENCH_SCALE", 1000)) {
		t.Run(fmt.Sprintf("%dx%d", w.count, w.size), func(t *testing.T) { compare(t, w, rounds) })
	}
}

func compare(t *testing.T, w workload, rounds int) {
	sources := map[string]*seed{}
	for _, maker := range []string{"Go", "JS"} {
		sources[maker] = newSeed(t, maker, w)
	}
	seconds := map[pairing][]float64{}
	for range rounds {
		for _, p := range pairings() {
			t.Run(p.String(), func(t *testing.T) {
				seconds[p] = append(seconds[p], sources[p.source].copyTo(t, p.reader, w))
			})
		}
	}
	control := seconds[pairing{"JS", "JS"}]
	for _, p := range pairings() {
		if len(seconds[p]) != rounds || len(control) != rounds {
			t.Fatalf("%s: %d of %d rounds", p, len(seconds[p]), rounds)
		}
		var ratios []float64
		for i, s := range seconds[p] {
			ratios = append(ratios, control[i]/s)
		}
		s, ratio := median(seconds[p]), median(ratios)
		t.Logf("%d x %d, %s: %.2f s, %.1f MiB/s, %.0f blocks/s; %.2f times JS to JS", w.count, w.size, p, s,
			float64(w.count)*float64(w.size)/s/(1<<20), float64(w.count)/s, ratio)
		if ratio < leastRatio && p != (pairing{"JS", "JS"}) {
			t.Errorf("%s is at %.2f of JS to JS, want %.2f", p, ratio, leastRatio)
		}
	}
}

// leastTail is how many times faster than between two JavaScript peers a new block must be with a reader that follows.
const leastTail = 1.5

// TestTailSpeed appends a block each 20 ms and measures until a reader in another process has it, over TCP on loopback: ours and
// JavaScript ones in turn, as TestSpeed does, with the same variables. JavaScript ones do not wait for the disk, ours do.
func TestTailSpeed(t *testing.T) {
	if os.Getenv("HYPERNODE_BENCH_JS") == "" {
		t.Skip("HYPERNODE_BENCH_JS is not set")
	}
	rounds, count := number(t, "HYPERNODE_BENCH_ROUNDS", 5), max(number(t, "HYPERNODE_BENCH_SCALE", 1000)*550/1000, 22)
	half, most := map[string][]float64{}, map[string][]float64{}
	for range rounds {
		for _, maker := range []string{"Go", "JS"} {
			t.Run(maker, func(t *testing.T) {
				took := slices.Sorted(slices.Values(newBlocks(t, maker, count)))
				half[maker] = append(half[maker], took[len(took)/2])
				most[maker] = append(most[maker], took[len(took)*99/100])
			})
		}
	}
	var ratios, mostRatios []float64
	for i := range min(len(half["Go"]), len(half["JS"])) {
		ratios = append(ratios, half["JS"][i]/half["Go"][i])
		mostRatios = append(mostRatios, most["JS"][i]/most["Go"][i])
	}
	if len(ratios) != rounds {
		t.Fatalf("%d of %d rounds", len(ratios), rounds)
	}
	for _, maker := range []string{"Go", "JS"} {
		t.Logf("append to remote reader has it, %s: p50 %.2f ms, p99 %.2f ms", maker, median(half[maker]), median(most[maker]))
	}
	t.Logf("Go %.2f times faster, at p99 %.2f times", median(ratios), median(mostRatios))
	if r := median(ratios); r < leastTail {
		t.Errorf("%.2f times faster than JavaScript, want %.2f", r, leastTail)
	}
}

// newBlocks returns how many milliseconds new blocks were on their way, without the first eleventh of them.
func newBlocks(t *testing.T, maker string, count int) []float64 {
	t.Helper()
	const size = 32
	s := newSeed(t, maker, workload{1000, size, 1000})
	p, store := begin(t, maker)
	var c struct{ Handle int }
	must(t, p, "core.open", Args{"store": store, "key": s.key}, &c)
	must(t, p, "bench.follow", Args{"store": store, "core": c.Handle, "port": s.port, "count": count}, nil)
	must(t, s.peer, "bench.append", Args{"core": s.core, "count": count, "size": size, "every": 20}, nil)
	var r struct{ Took []float64 }
	must(t, p, "bench.followed", nil, &r)
	if len(r.Took) != count {
		t.Fatalf("%d of %d blocks came", len(r.Took), count)
	}
	return r.Took[count/11:]
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// begin starts a process with a store on disk.
func begin(t *testing.T, maker string) (p *Peer, store int) {
	t.Helper()
	if maker == "Go" {
		p = startGo(t)
	} else {
		p = Start(t)
	}
	var r struct{ Handle int }
	must(t, p, "store.open", Args{"dir": t.TempDir()}, &r)
	return p, r.Handle
}

func must(t *testing.T, p *Peer, command string, args Args, result any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := p.Command(ctx, command, args, result); err != nil {
		t.Fatal(err)
	}
}

// seed is a process that has a log and listens.
type seed struct {
	peer      *Peer
	core      int
	key, hash []byte
	port      int
}

func newSeed(t *testing.T, maker string, w workload) *seed {
	t.Helper()
	p, store := begin(t, maker)
	var c struct {
		Handle int
		Key    []byte
	}
	must(t, p, "core.open", Args{"store": store, "name": "bench"}, &c)
	must(t, p, "bench.fill", Args{"core": c.Handle, "count": w.count, "size": w.size, "batch": w.batch}, nil)
	var s struct{ Hash []byte }
	must(t, p, "core.state", Args{"core": c.Handle}, &s)
	var l struct{ Port int }
	must(t, p, "listen", Args{"store": store}, &l)
	return &seed{peer: p, core: c.Handle, key: c.Key, hash: s.Hash, port: l.Port}
}

// copyTo has a new process copy the log and returns how many seconds that took.
func (s *seed) copyTo(t *testing.T, maker string, w workload) float64 {
	t.Helper()
	p, store := begin(t, maker)
	var c struct{ Handle int }
	must(t, p, "core.open", Args{"store": store, "key": s.key}, &c)
	var r struct{ Seconds float64 }
	must(t, p, "bench.copy", Args{"store": store, "core": c.Handle, "port": s.port, "count": w.count}, &r)
	var got struct{ Hash []byte }
	must(t, p, "core.state", Args{"core": c.Handle}, &got)
	if !bytes.Equal(got.Hash, s.hash) {
		t.Errorf("the copy has tree hash %x, the source %x", got.Hash, s.hash)
	}
	return r.Seconds
}
