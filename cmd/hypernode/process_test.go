package main

import (
	"bufio"
	"bytes"
	"io"
	"os/exec"
	"regexp"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hypernode/hypernode/config"
)

// process is a program that a script has running beside it, with an open standard input.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout bytes.Buffer
	lines  chan string // of standard error
}

// processes are those of one script; what follows "as NAME" is about the one of that name.
type processes struct {
	list map[string]*process
	now  string
}

type processKey struct{}

// choose says which process the commands that follow are about: as other.
func choose(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: as NAME")
	}
	all(ts).now = args[0]
}

func all(ts *testscript.TestScript) *processes { return ts.Value(processKey{}).(*processes) }

func (p *processes) kill() {
	for _, one := range p.list {
		one.kill()
	}
}

// patience bounds the wait for a process that does not do what it should.
const patience = 30 * time.Second

func running(ts *testscript.TestScript) *process {
	p := all(ts)
	if p.list[p.now] == nil {
		p.list[p.now] = new(process)
	}
	return p.list[p.now]
}

// launch runs a program beside the script: start hypernode core append log --lines.
func launch(ts *testscript.TestScript, neg bool, args []string) {
	p := running(ts)
	if neg || len(args) == 0 || p.cmd != nil {
		ts.Fatalf("usage: start program args..., one at a time of each name")
	}
	*p = process{cmd: exec.Command(args[0], args[1:]...), lines: make(chan string, 1024)}
	p.cmd.Dir, p.cmd.Stdout = ts.MkAbs("."), &p.stdout
	for _, name := range passedOn() {
		if value := ts.Getenv(name); value != "" { // an empty list would be one
			p.cmd.Env = append(p.cmd.Env, name+"="+value)
		}
	}
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	ts.Check(err)
	stderr, err := p.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
}

// passedOn are the variables of a script that its processes get.
func passedOn() []string {
	list := []string{"HYPERNODE_PATH", "HOME", "PATH", "TMPDIR", "GORACE", "XDG_RUNTIME_DIR"}
	for _, s := range config.Settings(config.Default(), nil) {
		list = append(list, s.Variable)
	}
	return list
}

// kill ends a process that a failed script left behind.
func (p *process) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// feed writes lines to the process.
func feed(ts *testscript.TestScript, neg bool, args []string) {
	for _, line := range args {
		_, err := io.WriteString(running(ts).stdin, line+"\n")
		ts.Check(err)
	}
}

// await reads what the process says until a line matches. What the first group of the expression matched is put into a
// variable if one is named: await 'at (tcp://\S+);' ADDRESS.
func await(ts *testscript.TestScript, neg bool, args []string) {
	want := regexp.MustCompile(args[0])
	for limit := time.After(patience); ; {
		select {
		case line, ok := <-running(ts).lines:
			if !ok {
				ts.Fatalf("the process ended without saying %q", args[0])
			}
			ts.Logf("%s", line)
			if m := want.FindStringSubmatch(line); m != nil {
				if len(args) > 1 {
					ts.Setenv(args[1], m[1])
				}
				return
			}
		case <-limit:
			ts.Fatalf("the process does not say %q", args[0])
		}
	}
}

// send sends a signal to the process: send INT.
func send(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	ts.Check(running(ts).cmd.Process.Signal(signals[args[0]]))
}

// finish waits for the process, which must end with an exit code; -1 stands for a signal. With a second argument, "eof",
// its input ends first.
func finish(ts *testscript.TestScript, neg bool, args []string) {
	p := running(ts)
	if len(args) > 1 {
		ts.Check(p.stdin.Close())
	}
	watchdog := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	for line := range p.lines {
		_, _ = io.WriteString(ts.Stderr(), line+"\n")
	}
	err := p.cmd.Wait()
	watchdog.Stop()
	p.cmd = nil
	_, _ = ts.Stdout().Write(p.stdout.Bytes())
	checkCode(ts, args[0], err)
}
