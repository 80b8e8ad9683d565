package netlab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is after how long what does not happen is taken for a failure.
const patience = 60 * time.Second

// process is a program that runs on a machine.
type process struct {
	t     testing.TB
	name  string
	cmd   *exec.Cmd
	lines chan string // of standard output
	said  log         // standard error
	ended chan struct{}
	err   error // of Wait, once it has ended
}

// log is what a process says. It is read while the process writes.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
	to  io.Writer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to != nil {
		l.to.Write(b)
	}
	return l.buf.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// start starts a program on a machine, with a home of its own. It is killed with the test.
func (m *machine) start(env []string, name string, args ...string) *process {
	m.t.Helper()
	p := &process{t: m.t, name: m.ip4 + " " + filepath.Base(name), cmd: exec.Command(name, args...)}
	p.lines, p.ended = make(chan string, 1<<16), make(chan struct{})
	if os.Getenv("HYPERNODE_NETLAB_LOG") != "" {
		p.said.to = os.Stderr
	}
	p.cmd.Dir, p.cmd.Stderr = m.home, &p.said
	p.cmd.Env = append([]string{"HOME=" + m.home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "GORACE=" + os.Getenv("GORACE")}, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // with the thread, which ends with the test
	out, err := p.cmd.StdoutPipe()
	must(m.t, err)
	must(m.t, m.do(p.cmd.Start))
	go p.follow(out)
	m.t.Cleanup(func() {
		p.kill()
		if m.t.Failed() {
			m.t.Logf("%s %s said:\n%s", p.name, strings.Join(args, " "), &p.said)
		}
	})
	return p
}

// follow reads the output, and waits for the end.
func (p *process) follow(out io.Reader) {
	defer close(p.ended)
	for s := bufio.NewScanner(out); s.Scan(); {
		p.lines <- s.Text()
	}
	close(p.lines)
	p.err = p.cmd.Wait()
}

// kill ends the process at once, and waits for it.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// line waits for the next line of output, and decodes it.
func (p *process) line(doc any) {
	p.t.Helper()
	select {
	case text, ok := <-p.lines:
		if !ok {
			<-p.ended
			p.t.Fatalf("%s ended with %v and printed nothing", p.name, p.err)
		}
		if err := json.Unmarshal([]byte(text), doc); err != nil {
			p.t.Fatalf("%s printed %s: %v", p.name, text, err)
		}
	case <-time.After(patience):
		p.t.Fatalf("%s printed nothing for %s", p.name, patience)
	}
}

// last decodes the last line that a process has printed which has ended.
func (p *process) last(doc any) {
	p.t.Helper()
	last := ""
	for text := range p.lines {
		last = text
	}
	if last == "" {
		return
	}
	if err := json.Unmarshal([]byte(last), doc); err != nil {
		p.t.Fatalf("%s printed %s: %v", p.name, last, err)
	}
}

// code waits for the end, and returns the exit code; -1 stands for a signal.
func (p *process) code() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.cmd.Process.Signal(syscall.SIGQUIT)
		p.t.Fatalf("%s does not end", p.name)
	}
	return 0
}

// ok waits for an end without a fault.
func (p *process) ok() {
	p.t.Helper()
	if code := p.code(); code != 0 {
		p.t.Fatalf("%s ended with %d: %s", p.name, code, &p.said)
	}
}

// over tells whether the process has ended.
func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// until waits for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// long tells that whole trees and many rounds are asked for.
func long() bool { return os.Getenv("HYPERNODE_NETLAB") == "long" }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
