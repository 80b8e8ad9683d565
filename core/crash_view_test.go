package core_test

import (
	"bytes"
	"errors"
	"fmt"
)

// crashView is what may be found in a store after a crash: a state between the positions lo and hi. Position 2n is that
// after step n; position 2n-1 is any mixture of the states before and after step n, if that has several commits.
type crashView struct {
	cores    []crashFound
	parallel []bool
	lo, hi   int
}

// crashFound is a core as it may be found.
type crashFound struct {
	*crashCore
	events []crashEvent
	shown  int // nothing before this step may be found
}

// view says what may be found after a crash that comes now. It is taken in two parts: what has been promised before the
// crash, and what has been begun after it. After a kill, all that has been acknowledged must be there.
func (w *crashWorld) view(kill bool) (finish func() *crashView) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := &crashView{lo: 2 * w.durable}
	if kill {
		v.lo = 2 * w.done
	}
	if w.seen > 0 {
		v.lo = max(v.lo, 2*w.seen-1)
	}
	shown := make([]int, len(w.cores))
	for i, c := range w.cores {
		shown[i] = c.shown
	}
	return func() *crashView {
		w.mu.Lock()
		defer w.mu.Unlock()
		v.parallel, v.hi = w.parallel, 2*w.started
		for i, c := range w.cores {
			f := crashFound{crashCore: c, events: c.events}
			if i < len(shown) {
				f.shown = shown[i]
			}
			v.cores = append(v.cores, f)
		}
		return v
	}
}

// position returns the first and the last position that the store can be in.
func (v *crashView) position(prints []string) (first, last int, err error) {
	first = -1
	for p := v.lo; p <= v.hi; p++ {
		if p%2 == 1 && !v.parallel[p/2] || !v.matches(prints, p) {
			continue
		}
		if last = p; first < 0 {
			first = p
		}
	}
	if first < 0 {
		return 0, 0, v.explain(prints)
	}
	return first, last, nil
}

func (v *crashView) matches(prints []string, p int) bool {
	for i := range v.cores {
		if e, ok := v.cores[i].at(p, prints[i]); !ok || e == nil && prints[i] != absent {
			return false
		}
	}
	return true
}

// at returns the event of a core that position p shows, if it has that print.
func (f *crashFound) at(p int, print string) (e *crashEvent, ok bool) {
	n := 0
	for n < len(f.events) && 2*f.events[n].step <= p {
		n++
	}
	if p%2 == 1 && n < len(f.events) && 2*f.events[n].step == p+1 && f.events[n].print == print {
		return &f.events[n], true
	}
	if n == 0 {
		return nil, print == absent
	}
	e = &f.events[n-1]
	return e, e.print == print && e.step >= f.shown
}

func (v *crashView) explain(prints []string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "the store is in no state between steps %.1f and %.1f:", float64(v.lo)/2, float64(v.hi)/2)
	for i, f := range v.cores {
		fmt.Fprintf(&b, "\n\tcore %d (shown at step %d) has %s", i, f.shown, prints[i])
		for _, e := range f.events {
			if e.print == prints[i] {
				fmt.Fprintf(&b, "\n\t\tas after step %d", e.step)
			}
		}
		for n, e := range f.events {
			if n+1 == len(f.events) || 2*f.events[n+1].step > v.lo {
				fmt.Fprintf(&b, "\n\t\tstep %d would be %s", e.step, e.print)
			}
		}
	}
	return errors.New(b.String())
}
