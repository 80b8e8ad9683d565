//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A second interrupt ends a process at once that cannot end by itself: here its output is read by nobody.
func TestSecondInterrupt(t *testing.T) {
	dir := t.TempDir()
	environ := append(os.Environ(), "HYPERNODE_PATH="+filepath.Join(dir, "data"), "GORACE=atexit_sleep_ms=0")
	run := func(args ...string) *exec.Cmd {
		c := exec.Command("hypernode", args...)
		c.Env = environ
		return c
	}
	fill := run("core", "append", "log")
	fill.Stdin = bytes.NewReader(make([]byte, 8<<20)) // more than a pipe holds
	if out, err := fill.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := run("core", "get", "log", "0")
	c.Stdout = w
	if err := errors.Join(c.Start(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err != nil { // it is writing
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for tick, limit := time.NewTicker(10*time.Millisecond), time.After(patience); ; {
		select {
		case <-tick.C:
			_ = c.Process.Signal(os.Interrupt) // it may have ended
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
				t.Fatalf("%v", err)
			}
			return
		case <-limit:
			_ = c.Process.Kill()
			t.Fatal("it does not end")
		}
	}
}
