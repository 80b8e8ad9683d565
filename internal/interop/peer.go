package interop

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// Peer is a process of the JavaScript stack. Its methods may be called from several goroutines.
type Peer struct {
	calls  *calls
	stderr *tail
}

// graceful is how long a process may take to close its stores and end.
const graceful = 10 * time.Second

// Start starts a process that ends with the test. A process that fails, fails the test.
func Start(t testing.TB) *Peer {
	t.Helper()
	return start(t, exec.Command(installed(t), filepath.Join(scripts(), "peer.cjs")))
}

// start starts a process that takes commands.
func start(t testing.TB, cmd *exec.Cmd) *Peer {
	t.Helper()
	p := &Peer{stderr: &tail{}}
	cmd.Stderr = p.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal("starting a peer: ", err)
	}
	p.calls = newCalls(in, p.stderr)
	var reading sync.WaitGroup
	reading.Go(func() { p.calls.read(out) })
	t.Cleanup(func() {
		in.Close()
		kill := time.AfterFunc(graceful, func() { cmd.Process.Kill() })
		reading.Wait()
		err := cmd.Wait()
		kill.Stop()
		if err != nil {
			t.Errorf("the peer: %v", err)
		}
		if t.Failed() && p.stderr.String() != "" {
			t.Logf("the peer said:\n%s", p.stderr)
		}
	})
	return p
}

// installed returns the node program, or ends the test when that or its packages lack.
func installed(t testing.TB) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(scripts(), "node_modules", "hypercore", "package.json"))
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal("no JavaScript peers, run make js: ", err)
	default:
		t.Skip("no JavaScript peers, run make js: ", err)
	}
	return node
}

// scripts is the folder of the JavaScript side, which lies beside this file.
func scripts() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "js")
}

// tail keeps the last of what is written to it.
type tail struct {
	mu   sync.Mutex // guards kept
	kept []byte
}

const tailBytes = 16 << 10

// Write implements io.Writer.
func (s *tail) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, b...)
	if n := len(s.kept) - tailBytes; n > 0 {
		s.kept = append(s.kept[:0], s.kept[n:]...)
	}
	return len(b), nil
}

// String returns what was kept.
func (s *tail) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(bytes.TrimSpace(s.kept))
}
