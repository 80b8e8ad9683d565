package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
)

// task is what one process does: one step of a group of workloads.
type task struct {
	Step       string // see steps
	Name       string // of the group, "1k"
	Dir        string // of the store
	Durability string // "process" or "full"
	Count      uint64 // blocks, or cores
	Size       int    // of a block, in bytes
	Batch      int    // blocks of one append
	Gets       int    // random reads
	Profile    string // file for a CPU profile, "" for none

	Cores []coreTask // of a store that is replicated
	Ports []int      // of the peers on loopback that are connected with
	Link  linkTask   // of a process between two peers

	pool pool
}

// figures are what a task measured, by name.
type figures map[string]float64

// taskVar is the environment variable that carries its task to a process.
const taskVar = "HYPERNODE_BENCH_TASK"

// steps are what a process can do.
func steps() map[string]func(context.Context, *task) (figures, error) {
	return map[string]func(context.Context, *task) (figures, error){
		"append": appendBlocks, "fill": fill, "reopen": reopen, "create": createCores, "open": openCores, "limits": measureLimits,
		"build": build, "serve": serveCores, "link": passOn, "copy": copyCore, "tail": followTail, "sparse": sparseGets, "beside": besideBulk,
		"serve floor": serveFloor, "floor": followFloor, "awake": serveAwake,
	}
}

// do runs a task in this process.
func do(ctx context.Context, t *task) (f figures, err error) {
	step, ok := steps()[t.Step]
	if !ok {
		return nil, fmt.Errorf("no step %q", t.Step)
	}
	if t.pool, err = newPool(); err != nil {
		return nil, err
	}
	if t.Profile != "" {
		out, err := os.Create(t.Profile)
		if err != nil {
			return nil, err
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	return step(ctx, t)
}

// serve does the task that the environment carries, and writes the figures to stdout.
func serve(ctx context.Context, text string) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	f, err := do(ctx, &t)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Step, err)
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// spawn does a task in a process of its own.
func spawn(ctx context.Context, t task) (f figures, err error) {
	cmd, err := command(ctx, t)
	if err != nil {
		return nil, err
	}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s, durability %s: %w", t.Name, t.Step, t.Durability, err)
	}
	return f, json.Unmarshal(out, &f)
}

// command is this program, to do a task.
func command(ctx context.Context, t task) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if t.Profile != "" {
		t.Profile = filepath.Join(t.Profile, fmt.Sprintf("%s.%s.%s.cpu", t.Name, t.Step, t.Durability))
	}
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), taskVar+"="+string(text))
	cmd.Stderr = os.Stderr
	return cmd, nil
}
