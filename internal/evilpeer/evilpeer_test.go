package evilpeer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

const (
	// holds is how long a misbehaviour goes on at least.
	holds = 100 * time.Millisecond

	// sample is how often the victim is measured meanwhile.
	sample = 25 * time.Millisecond

	// lasts is how long the transfers may take until they are given up.
	lasts = 25 * time.Second

	// settles is how long the victim may take to forget it. Connections that the victim has not noticed to be gone end
	// by its deadlines.
	settles = 5 * time.Second

	// slack is how many goroutines may be more or less for other reasons.
	slack = 3
)

// result is what a misbehaviour did to the victim.
type result struct {
	name    string
	honest  time.Duration // until both transfers were done
	heap    int64         // most bytes more than before
	threads int           // most goroutines more than before
	left    int           // goroutines that did not end
	cpu     time.Duration
	sent    int64
	leaked  int64
	stalled bool // the honest transfers did not end in time
}

func (r *result) message() time.Duration { return r.cpu / time.Duration(max(r.sent, 1)) }

// Each misbehaviour stays within its budget, and an honest peer's transfers go on meanwhile.
func TestMisbehaviours(t *testing.T) {
	p := startVictim(t)
	var table []result
	for i, m := range All() {
		if testing.Short() && i%5 != 0 {
			continue
		}
		t.Run(strings.ReplaceAll(m.Name, " ", "-"), func(t *testing.T) {
			r := attack(t, p, m)
			if r.stalled {
				t.Errorf("the honest transfers did not end in %v", r.honest)
			}
			table = append(table, r)
			t.Logf("%+v", r)
			judge(t, &r, m.Budget.WithDefaults())
		})
	}
	show(t, table)
}

func judge(t *testing.T, r *result, b Budget) {
	t.Helper()
	if raceEnabled {
		b.Honest, b.Message, b.Heap = 4*b.Honest, 20*b.Message, 4*b.Heap
	}
	if r.honest > b.Honest {
		t.Errorf("honest transfers took %v, budget %v", r.honest, b.Honest)
	}
	if r.heap > b.Heap {
		t.Errorf("%d bytes of memory, budget %d", r.heap, b.Heap)
	}
	if r.threads > b.Goroutines {
		t.Errorf("%d goroutines, budget %d", r.threads, b.Goroutines)
	}
	if r.left > slack {
		t.Errorf("%d goroutines are left", r.left)
	}
	if r.sent >= 1000 && r.message() > b.Message {
		t.Errorf("%v for a message, budget %v", r.message(), b.Message)
	}
	if r.leaked > 0 {
		t.Errorf("%d messages went to a stranger", r.leaked)
	}
}

// attack lets one misbehaviour loose, and returns what came of it. Chance decides whether the victim wants what it reads before
// the attack begins, and so learns of it under attack, or later, when it knows the head already.
func attack(t *testing.T, p *process, m Misbehaviour) result {
	p.t = t
	h := newHonest(t, p.serves)
	p.do("open", h.gives.Key())
	forget := sync.OnceFunc(func() { p.do("close") })
	defer forget()
	before := p.do("measure")
	target := NewTarget(p.addr, p.serves, h.gives)
	target.Old = h.old
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	early := rand.IntN(2) == 0
	if early {
		p.do("fetch")
	}
	t.Logf("the victim wants it before the attack: %v", early)
	var evil sync.WaitGroup
	evil.Go(func() { m.Run(ctx, target) })
	defer evil.Wait()
	defer cancel()
	select {
	case <-target.Hot():
	case <-time.After(5 * time.Second):
		t.Fatal("the attack did not begin")
	}
	r := result{name: m.Name}
	last := transfer(t, p, h, &r, before, early)
	r.cpu = last.CPU - before.CPU
	cancel()
	evil.Wait()
	h.leave()
	forget()
	r.left = settle(p, before) - before.Goroutines
	r.sent, r.leaked = target.Sent(), target.Leaked()
	return r
}

// transfer copies both ways with the honest peer while the attack goes on, and measures the victim meanwhile. early tells that the
// victim wants what it reads already.
func transfer(t *testing.T, p *process, h *honest, r *result, before report, early bool) (last report) {
	t.Helper()
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), unhurried(lasts))
	defer cancel()
	if err := h.connect(ctx, p.addr); err != nil {
		t.Fatalf("honest peer: %v", err)
	}
	var read sync.WaitGroup
	var err error
	done := make(chan struct{})
	read.Go(func() { err = h.read(ctx); close(done) })
	defer read.Wait()
	last = p.do("measure")
	if !early {
		last = p.do("fetch")
	}
	for reading := true; reading || !last.Fetched || time.Since(start) < holds; last = p.do("measure") {
		r.heap = max(r.heap, last.Heap-before.Heap)
		r.threads = max(r.threads, last.Goroutines-before.Goroutines)
		select {
		case <-done:
			reading = false
		case err := <-h.ended:
			if ctx.Err() != nil {
				return r.stall(t, p, start)
			}
			t.Fatalf("the honest peer was left: %v", err)
		default:
		}
		if r.honest == 0 && !reading && last.Fetched {
			r.honest = time.Since(start)
		}
		if last.Fault == "" && ctx.Err() != nil {
			return r.stall(t, p, start)
		}
		if last.Fault != "" {
			t.Fatalf("victim: %q, fetched %v, %s; honest peer reads still: %v", last.Fault, last.Fetched, p.do("show").State, reading)
		}
		rest(ctx, sample)
	}
	if r.honest == 0 {
		r.honest = time.Since(start)
	}
	if read.Wait(); err != nil {
		t.Fatalf("honest peer: %v", err)
	}
	return last
}

// stall notes that the transfers did not end in time, and prints what the victim waits for.
func (r *result) stall(t *testing.T, p *process, start time.Time) report {
	t.Helper()
	r.stalled, r.honest = true, time.Since(start)
	t.Log(p.do("show").State)
	return p.do("measure")
}

// settle waits until the victim has no more goroutines than before, and returns how many it has.
func settle(p *process, before report) int {
	for start := time.Now(); ; {
		r := p.do("measure")
		if r.Goroutines <= before.Goroutines+slack || time.Since(start) > unhurried(settles) {
			return r.Goroutines
		}
		time.Sleep(sample)
	}
}

func show(t *testing.T, table []result) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "misbehaviour\thonest ms\tMiB\tgoroutines\tleft\tcpu ms\tmessages\tns/message\t")
	for _, r := range table {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%d\t%d\t%d\t%d\t%d\t\n", r.name, r.honest.Milliseconds(), float64(r.heap)/(1<<20), r.threads,
			r.left, r.cpu.Milliseconds(), r.sent, r.message().Nanoseconds())
	}
	w.Flush()
	t.Logf("%d misbehaviours\n%s", len(table), &b)
}

// There are as many as are promised, each with a name of its own.
func TestAll(t *testing.T) {
	names := map[string]bool{}
	for _, m := range All() {
		if m.Name == "" || m.What == "" || m.Run == nil || names[m.Name] {
			t.Errorf("misbehaviour %q", m.Name)
		}
		names[m.Name] = true
	}
	if len(names) < 25 {
		t.Errorf("%d misbehaviours", len(names))
	}
}
