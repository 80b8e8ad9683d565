package evilpeer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/keys"
)

// process is a victim that runs.
type process struct {
	t      *testing.T
	in     io.WriteCloser
	out    *json.Decoder
	addr   string
	serves keys.Key
	quit   func()
}

// hangs is after how long a victim that does not report is made to show what it does.
const hangs = 20 * time.Second

// startVictim starts a victim for the time of a test, and fails the test when the victim ends badly.
func startVictim(t *testing.T) *process {
	t.Helper()
	p := &process{t: t}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, json.NewDecoder(out)
	p.quit = func() { cmd.Process.Signal(syscall.SIGQUIT) }
	t.Cleanup(sync.OnceFunc(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the victim ended with %v: %s", err, &stderr)
		}
	}))
	var first report
	if err := p.out.Decode(&first); err != nil {
		t.Fatalf("victim: %v", err)
	}
	if p.serves, err = keys.Parse(first.Serves); err != nil {
		t.Fatal(err)
	}
	p.addr = first.Addr
	return p
}

// do has the victim do something, and returns what it reports after that.
func (p *process) do(verb string, arg ...any) (r report) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, append([]any{verb}, arg...)...); err != nil {
		p.t.Fatalf("victim: %v", err)
	}
	defer time.AfterFunc(hangs, p.quit).Stop()
	if err := p.out.Decode(&r); err != nil {
		p.t.Fatalf("victim: %s: %v", verb, err)
	}
	return r
}
