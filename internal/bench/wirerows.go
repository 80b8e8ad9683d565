package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
)

// wireRows is the table of the wire. Targets and the figures of the JavaScript stack are for two processes on loopback.
func wireRows() []row {
	return []row{
		{figure: "wire.64k.mib", what: "copy 1 GiB of 64 KiB blocks", unit: "MiB/s", js: 88, target: 250},
		{figure: "wire.100.rate", what: "copy 200,000 blocks of 100 B", unit: "/s", js: 10200, target: 80000},
		{figure: "wire.1k.rate", what: "copy 200,000 blocks of 1 KiB", unit: "/s", js: 9300, target: 80000},
		{figure: "wire.4to1.mib", what: "4 seeders to 1 reader, 64 KiB blocks", unit: "MiB/s", js: 68, target: 200},
		{figure: "wire.1to4.mib", what: "1 seeder to 4 readers, sum", unit: "MiB/s", js: 110, target: 300},
		{figure: "wire.tail.tail.p50", what: "append to remote reader has it, p50", unit: "ms", js: 2.8, target: 1, lower: true},
		{figure: "wire.tail.tail.p99", what: "the same, p99", unit: "ms", js: 7.6, target: 3, lower: true},
		{figure: "wire.awake.tail.p50", what: "that where no CPU goes to sleep, p50", unit: "ms", target: 1, lower: true},
		{figure: "wire.awake.tail.p99", what: "that where no CPU goes to sleep, p99", unit: "ms", target: 3, lower: true},
		{figure: "wire.floor.tail.p50", what: "limit of that: write, sync, send, write; p50", unit: "ms", lower: true},
		{figure: "wire.floor.tail.p99", what: "limit of that, p99", unit: "ms", lower: true},
		{figure: "wire.sparse.sparse", what: "100 random blocks of 1 M, 50 ms round trip, at once", unit: "ms", js: 383, target: 220, lower: true},
		{figure: "wire.beside.beside", what: "p99 of gets beside 1 GiB to idle, 10 ms, 50 MiB/s", unit: "x", target: 3, lower: true},
		{figure: "wire.beside.idle.p99", what: "p99 of gets, idle", unit: "ms", lower: true},
		{figure: "wire.beside.busy.p50", what: "p50 of gets beside 1 GiB", unit: "ms", lower: true},
		{figure: "wire.beside.busy.p99", what: "p99 of gets beside 1 GiB", unit: "ms", lower: true},
		{figure: "wire.beside.bulk", what: "the 1 GiB meanwhile", unit: "MiB/s"},
		{figure: "wire.besidelo.beside", what: "p99 of gets beside 1 GiB to idle, loopback", unit: "x", lower: true},
		{figure: "wire.besidelo.busy.p99", what: "p99 of gets beside 1 GiB", unit: "ms", lower: true},
		{figure: "wire.besidelo.bulk", what: "the 1 GiB meanwhile", unit: "MiB/s"},
	}
}

// group is the group that a row of the wire comes from.
func (r *row) group() string { return strings.Split(r.figure, ".")[1] }

// wantsWire tells whether a row of the group was asked for.
func (o *options) wantsWire(g *wireGroup) bool {
	for _, r := range o.matching(wireRows()) {
		if r.group() == g.name {
			return true
		}
	}
	return false
}

// wireTable prints the figures of the wire beside those of the JavaScript stack.
func (r *results) wireTable(w io.Writer, o *options) error {
	fmt.Fprintf(w, "%s, %d CPUs, %s; two processes, TCP on loopback, secret stream, stores on disk, durability \"process\"; medians of %d (least..most)%s\n",
		runtime.Version(), runtime.NumCPU(), load(), o.runs, map[bool]string{true: "; a tenth of the blocks"}[o.quick])
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "workload\tunit\tJS\tours\t\ttarget\t\tratio\tserving CPU s\tfetching CPU s\t")
	for _, row := range o.matching(wireRows()) {
		m, ok := median(r.values["wire"][row.figure])
		if !ok {
			continue
		}
		target, met := row.against(m)
		js, ratio := "", ""
		if row.js > 0 {
			js, ratio = number(row.js), row.ratio(m)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", row.what, row.unit, js, number(m), spread(r.values["wire"][row.figure]),
			target, met, ratio, r.wireCPU(&row, "served"), r.wireCPU(&row, "cpu"))
	}
	return t.Flush()
}

func (r *results) wireCPU(row *row, who string) string {
	m, ok := median(r.values["wire"]["wire."+row.group()+"."+who])
	if !ok {
		return ""
	}
	return number(m)
}
