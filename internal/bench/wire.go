package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/hypernode/hypernode/datastore"
)

// wireGroup is a workload between processes: some serve the same cores, some fetch them.
type wireGroup struct {
	name    string
	step    string // of those who fetch
	serve   string // the step of those who serve; none is "serve"
	cores   []coreTask
	seeds   int
	readers int
	gets    int
	link    *linkTask // nil for loopback alone
	fresh   int       // how often in a run, each time with new readers; 0 is once
	awake   bool      // while the CPUs are kept from sleeping
}

// wireGroups returns the groups at their full size, or a tenth of it.
func wireGroups(quick bool) []wireGroup {
	n := func(full uint64) uint64 {
		if quick {
			return full / 10
		}
		return full
	}
	gib := []coreTask{{Name: "bench", Count: n(16384), Size: 64 << 10}}
	part := []coreTask{{Name: "bench", Count: n(4096), Size: 64 << 10}}
	beside := append(gib[:1:1], coreTask{Name: "small", Count: n(200000), Size: 1 << 10})
	return []wireGroup{
		{name: "64k", step: "copy", cores: gib, seeds: 1, readers: 1},
		{name: "100", step: "copy", cores: []coreTask{{Name: "bench", Count: n(200000), Size: 100}}, seeds: 1, readers: 1},
		{name: "1k", step: "copy", cores: []coreTask{{Name: "bench", Count: n(200000), Size: 1 << 10}}, seeds: 1, readers: 1},
		{name: "4to1", step: "copy", cores: part, seeds: 4, readers: 1},
		{name: "1to4", step: "copy", cores: part, seeds: 1, readers: 4},
		{name: "tail", step: "tail", cores: []coreTask{{Name: "bench", Count: 1000, Size: 32}}, seeds: 1, readers: 1, gets: int(n(550))},
		{name: "awake", step: "tail", cores: []coreTask{{Name: "bench", Count: 1000, Size: 32}}, seeds: 1, readers: 1, gets: int(n(550)), awake: true},
		{name: "floor", serve: "serve floor", step: "floor", seeds: 1, readers: 1, gets: int(n(550))},
		{name: "sparse", step: "sparse", cores: []coreTask{{Name: "bench", Count: n(1000000), Size: 100}}, seeds: 1, readers: 1, gets: 100,
			link: &linkTask{Trip: 50 * time.Millisecond}, fresh: 5},
		{name: "beside", step: "beside", cores: beside, seeds: 1, readers: 1, gets: int(n(1000)),
			link: &linkTask{Trip: 10 * time.Millisecond, Rate: 50 << 20}},
		{name: "besidelo", step: "beside", cores: beside, seeds: 1, readers: 1, gets: int(n(10000))},
	}
}

// measureWire measures the groups that were asked for, so many times.
func (o *options) measureWire(ctx context.Context, dir string, r *results) error {
	for _, g := range wireGroups(o.quick) {
		if !o.wantsWire(&g) || g.awake && !canGiveWay {
			continue
		}
		where := filepath.Join(dir, "wire-"+g.name)
		err := g.measure(ctx, o, where, r)
		if err = errors.Join(err, os.RemoveAll(where)); err != nil {
			return err
		}
	}
	return nil
}

// measure makes the stores of those that serve, once, and has them served as often as is to be measured.
func (g *wireGroup) measure(ctx context.Context, o *options, dir string, r *results) error {
	t := task{Name: g.name, Durability: datastore.Process.String(), Cores: g.cores, Gets: g.gets, Profile: o.profile}
	for i := range g.seeds {
		made := t
		made.Step, made.Dir, made.Profile = "build", seedDir(dir, i), ""
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if _, err := spawn(ctx, made); err != nil {
			return err
		}
	}
	for n := range o.runs * max(g.fresh, 1) {
		fmt.Fprintf(os.Stderr, "run %d: wire %s\n", n+1, g.name)
		f, err := g.once(ctx, t, dir)
		if err != nil {
			return err
		}
		r.add("wire", f)
	}
	return nil
}

func seedDir(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("seed-%d", i)) }

// once starts those that serve, lets others fetch, and gathers the figures.
func (g *wireGroup) once(ctx context.Context, t task, dir string) (f figures, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var seeds []*child
	for i := range g.seeds {
		t.Step, t.Dir = cmp.Or(g.serve, "serve"), seedDir(dir, i)
		c, h, err := begin(ctx, t)
		if err != nil {
			return nil, err
		}
		seeds = append(seeds, c)
		t.Ports = append(t.Ports, h.Port)
		t.Cores = withKeys(t.Cores, h)
	}
	others := seeds
	if g.link != nil {
		t.Step, t.Link = "link", *g.link
		c, h, err := begin(ctx, t)
		if err != nil {
			return nil, err
		}
		others = append(others[:len(others):len(others)], c)
		t.Ports = []int{h.Port}
	}
	if g.awake {
		t.Step = "awake"
		c, _, err := begin(ctx, t)
		if err != nil {
			return nil, err
		}
		others = append(others[:len(others):len(others)], c)
	}
	t.Step = g.step
	f, err = g.fetch(ctx, t, dir, seeds)
	if err != nil {
		return nil, err
	}
	for _, c := range others {
		err = errors.Join(err, c.end())
	}
	return f, err
}

// begin starts a process that serves.
func begin(ctx context.Context, t task) (c *child, h hello, err error) {
	if c, err = start(ctx, t); err == nil {
		err = c.hear(&h)
	}
	return c, h, err
}

func withKeys(cores []coreTask, h hello) []coreTask {
	list := append([]coreTask(nil), cores...)
	for i := range list {
		list[i].Key = h.Keys[i]
	}
	return list
}

// fetch has new processes fetch from those that serve.
func (g *wireGroup) fetch(ctx context.Context, t task, dir string, seeds []*child) (f figures, err error) {
	before, err := cpuOf(seeds)
	if err != nil {
		return nil, err
	}
	var readers []*child
	for i := range g.readers {
		t.Dir = filepath.Join(dir, fmt.Sprintf("reader-%d", i))
		c, err := start(ctx, t)
		if err != nil {
			return nil, err
		}
		readers = append(readers, c)
		defer os.RemoveAll(t.Dir)
	}
	if g.step == "tail" || g.step == "floor" {
		if err := errors.Join(readers[0].hear(&hello{})); err != nil {
			return nil, err
		}
		if _, err := seeds[0].order(orderTail); err != nil {
			return nil, err
		}
	}
	parts := make([]figures, len(readers))
	for i, c := range readers {
		if err := errors.Join(c.hear(&parts[i]), c.end()); err != nil {
			return nil, err
		}
	}
	after, err := cpuOf(seeds)
	return g.sum(parts, after-before), err
}

// cpuOf is the CPU seconds of processes so far.
func cpuOf(list []*child) (sum float64, err error) {
	for _, c := range list {
		f, err := c.order(orderCPU)
		if err != nil {
			return 0, err
		}
		sum += f["cpu"]
	}
	return sum, nil
}

// sum makes one figure of those of all that have fetched at the same time.
func (g *wireGroup) sum(parts []figures, served float64) figures {
	all := maps.Clone(parts[0])
	all["cpu"] = 0
	for _, f := range parts {
		all["start"], all["end"] = min(all["start"], f["start"]), max(all["end"], f["end"])
		all["cpu"] += f["cpu"]
	}
	f := figures{}
	for name, v := range all {
		f["wire."+g.name+"."+name] = v
	}
	delete(f, "wire."+g.name+".start")
	delete(f, "wire."+g.name+".end")
	f["wire."+g.name+".served"] = served
	if g.step == "copy" {
		secs, n := all["end"]-all["start"], float64(g.cores[0].Count)*float64(len(parts))
		f["wire."+g.name+".rate"] = n / secs
		f["wire."+g.name+".mib"] = n * float64(g.cores[0].Size) / secs / (1 << 20)
	}
	return f
}
