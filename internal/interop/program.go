package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Program is the command of this module, for tests with real processes.
type Program struct{ file string }

// BuildProgram compiles the command; it is removed with the test.
func BuildProgram(t testing.TB) *Program {
	t.Helper()
	p := &Program{file: filepath.Join(t.TempDir(), "hypernode")}
	cmd := exec.Command("go", "build", "-o", p.file, "github.com/hypernode/hypernode/cmd/hypernode")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the command: %v\n%s", err, out)
	}
	return p
}

// Home is a folder that holds everything of one node. Its nodes send nothing beyond this machine, and find only those
// to whom somebody leads whose address they are told.
type Home struct {
	program *Program
	dir     string
}

// Home makes a folder that is removed with the test.
func (p *Program) Home(t testing.TB) *Home {
	t.Helper()
	return &Home{program: p, dir: t.TempDir()}
}

func (h *Home) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, h.program.file, append(args, "--path", h.dir, "--json")...)
	cmd.Env = append(os.Environ(),
		"HYPERNODE_DISCOVERY_PROFILE=lan", "HYPERNODE_DISCOVERY_MDNS=off", "HYPERNODE_DISCOVERY_LOCAL_PORTS=off",
		"HYPERNODE_NETWORK_TRANSPORTS=tcp,websocket",
		"HYPERNODE_NETWORK_LISTEN=/ip4/127.0.0.1/tcp/0,/ip4/127.0.0.1/tcp/0/ws,tcp://127.0.0.1:0",
	)
	return cmd
}

// Run runs a command to its end and decodes what it prints, unless result is nil.
func (h *Home) Run(ctx context.Context, result any, args ...string) error {
	cmd := h.command(ctx, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	switch {
	case err != nil:
		return fmt.Errorf("hypernode %s: %w: %s%s", args[0], err, out, &said)
	case result == nil:
		return nil
	}
	return json.Unmarshal(out, result)
}

// Serve starts a command that serves until the test ends, and decodes the first that it prints: it is ready then. It must
// end well with an interrupt.
func (h *Home) Serve(t testing.TB, result any, args ...string) (stop func()) {
	t.Helper()
	cmd := h.command(context.Background(), args...)
	said := &tail{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal("starting the command: ", err)
	}
	late := time.AfterFunc(defaultDeadline, func() { cmd.Process.Kill() })
	err = json.NewDecoder(out).Decode(result)
	late.Stop()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(graceful, func() { cmd.Process.Kill() })
		_, read := io.Copy(io.Discard, out)
		err := errors.Join(read, cmd.Wait())
		kill.Stop()
		if err != nil {
			t.Errorf("hypernode %s: %v", args[0], err)
		}
		if t.Failed() {
			t.Logf("hypernode %s said:\n%s", args[0], said)
		}
	}
	t.Cleanup(stop)
	if err != nil {
		t.Fatalf("hypernode %s is not ready: %v", args[0], err)
	}
	return stop
}
