package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// results are all figures of all runs, by durability (or "limits") and name.
type results struct {
	values map[string]map[string][]float64
}

func newResults() *results { return &results{map[string]map[string][]float64{}} }

func (r *results) add(kind string, f figures) {
	if r.values[kind] == nil {
		r.values[kind] = map[string][]float64{}
	}
	for name, v := range f {
		r.values[kind][name] = append(r.values[kind][name], v)
	}
}

// medians returns the medians of a kind.
func (r *results) medians(kind string) figures {
	f := figures{}
	for name, list := range r.values[kind] {
		f[name], _ = median(list)
	}
	return f
}

// print prints the tables of what was measured.
func (r *results) print(w io.Writer, o *options) error {
	if len(r.values["process"]) > 0 {
		if err := r.table(w, o); err != nil {
			return err
		}
	}
	if len(r.values["wire"]) > 0 {
		return r.wireTable(w, o)
	}
	return nil
}

// table prints the figures beside those of the JavaScript stack.
func (r *results) table(w io.Writer, o *options) error {
	limits := r.medians("limits")
	fmt.Fprintf(w, "%s, %d CPUs, %s; medians of %d (least..most)%s\n", runtime.Version(), runtime.NumCPU(), load(), o.runs,
		map[bool]string{true: "; a tenth of the blocks, the disk figures too"}[o.quick])
	fmt.Fprintln(w, "JS: the JavaScript stack, same kind of machine, never synced. Ratio: ours with durability \"process\" to JS.")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "workload\tunit\tJS\tours, process\t\tours, full\ttarget\t\tratio\tlimit\tCPU µs\t")
	for _, row := range o.wanted() {
		process, full := r.values["process"][row.figure], r.values["full"][row.figure]
		m, ok := median(process)
		if !ok {
			continue
		}
		limit := ""
		if row.limit != nil {
			limit = number(row.limit(limits))
		}
		target, met := row.against(m)
		f, _ := median(full)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", row.what, row.unit, number(row.js), number(m), spread(process),
			number(f), target, met, row.ratio(m), limit, r.cpu(row.figure))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printLimits(w, limits)
}

// cpu is the CPU time of one operation, of all threads: less shaken by what else runs on the machine than the rates are.
func (r *results) cpu(figure string) string {
	m, ok := median(r.values["process"][strings.TrimSuffix(figure, ".mib")+".cpu"])
	if !ok {
		return ""
	}
	return number(m)
}

// against holds a value against the target.
func (r *row) against(v float64) (target, met string) {
	switch {
	case r.target == 0:
		return "", ""
	case (v >= r.target) != r.lower || v == r.target:
		return number(r.target), "met"
	}
	return number(r.target), "MISSED"
}

// ratio is how many times better than JavaScript a value is.
func (r *row) ratio(v float64) string {
	if r.lower {
		return fmt.Sprintf("%.1fx", r.js/v)
	}
	return fmt.Sprintf("%.1fx", v/r.js)
}

func printLimits(w io.Writer, limits figures) error {
	var parts []string
	for name, v := range limits {
		parts = append(parts, fmt.Sprintf("%s %.3g", name, v))
	}
	slices.Sort(parts)
	_, err := fmt.Fprintf(w, "CPU: time of one operation on all CPUs, with durability \"process\".\n"+
		"limit: what hash, signature and file system alone would allow on one CPU. Each operation, in µs:\n  %s\n",
		strings.Join(parts, ", "))
	return err
}

// json prints one line for each figure, those that have no place in the table too.
func (r *results) json(w io.Writer, o *options) error {
	e := json.NewEncoder(w)
	for _, kind := range []string{"process", "full", "limits", "wire"} {
		names := make([]string, 0, len(r.values[kind]))
		for name := range r.values[kind] {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			line := map[string]any{"figure": name, "kind": kind, "values": r.values[kind][name]}
			line["median"], _ = median(r.values[kind][name])
			for _, row := range append(rows(), wireRows()...) {
				if row.figure == name {
					line["unit"], line["js"], line["target"] = row.unit, row.js, row.target
				}
			}
			if err := e.Encode(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// number writes a figure with as many places as matter.
func number(v float64) string {
	switch {
	case v >= 1000:
		return group3(fmt.Sprintf("%.0f", v))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// group3 sets commas between thousands.
func group3(digits string) string {
	if len(digits) <= 3 {
		return digits
	}
	return group3(digits[:len(digits)-3]) + "," + digits[len(digits)-3:]
}

func spread(list []float64) string {
	if len(list) < 2 {
		return ""
	}
	return fmt.Sprintf("(%s..%s)", number(slices.Min(list)), number(slices.Max(list)))
}

// load tells how busy the machine is.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(b))
	if err != nil || len(fields) == 0 {
		return runtime.GOOS + "/" + runtime.GOARCH
	}
	return fmt.Sprintf("%s/%s, load %s", runtime.GOOS, runtime.GOARCH, fields[0])
}
