package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// result is a row with all its samples.
type result struct {
	row
	samples []sample
}

// median is the middle one of a figure of all samples.
func (r *result) median(figure func(sample) float64) float64 {
	list := make([]float64, len(r.samples))
	for i, s := range r.samples {
		list[i] = figure(s)
	}
	slices.Sort(list)
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}

// spread is the least and the most.
func (r *result) spread() string {
	least := slices.MinFunc(r.samples, func(a, b sample) int { return cmp.Compare(a.value, b.value) })
	most := slices.MaxFunc(r.samples, func(a, b sample) int { return cmp.Compare(a.value, b.value) })
	return number(least.value) + ".." + number(most.value)
}

// verdict holds a value against the target.
func (r *row) verdict(v float64) (target, met string) {
	switch {
	case r.target == 0:
		return "", ""
	case v == r.target || (v < r.target) == r.lower:
		return number(r.target), "met"
	}
	return number(r.target), "MISSED"
}

func table(w io.Writer, results []result, runs int) error {
	fmt.Fprintf(w, "%s, %d CPUs%s; medians of %d\n", runtime.Version(), runtime.NumCPU(), load(), runs)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "row\t\tmedian\tleast..most\tunit\ttarget\t\tCPU s serving\tasking\tothers\t")
	for _, r := range results {
		v := r.median(func(s sample) float64 { return s.value })
		target, met := r.verdict(v)
		serve := r.median(func(s sample) float64 { return s.serve })
		ask := r.median(func(s sample) float64 { return s.ask })
		others := r.anchors
		if note := r.samples[len(r.samples)-1].note; note != "" {
			others = strings.TrimPrefix(others+"; "+note, "; ")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n",
			r.name, r.what, number(v), r.spread(), r.unit, target, met, number(serve), number(ask), others)
	}
	return t.Flush()
}

// number writes a figure with as many places as matter; nothing for zero.
func number(v float64) string {
	switch {
	case v == 0:
		return ""
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// load is what else runs on the machine, where that can be known.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(b))
	return ", load " + strings.Join(fields[:min(3, len(fields))], " ")
}
