package netlab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// space is a network namespace. A thread lives in it, runs what shall happen there, and ends it.
type space struct {
	path string // by which others name it
	work chan func()
	end  func()
}

// newSpace makes a namespace that lives until end is called, or this process ends.
func newSpace() (*space, error) {
	s := &space{work: make(chan func())}
	s.end = sync.OnceFunc(func() { close(s.work) })
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and what was started from it
		err := unix.Unshare(unix.CLONE_NEWNET)
		s.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		made <- err
		if err != nil {
			return
		}
		for job := range s.work {
			job()
		}
	}()
	return s, <-made
}

// do runs a function in the namespace. Processes that it starts, and sockets that it opens, are there too.
func (s *space) do(fn func() error) error {
	done := make(chan error, 1)
	s.work <- func() { done <- fn() }
	return <-done
}

// ip has the tool carry out commands, one in a line.
func (s *space) ip(lines ...string) error {
	return s.tool(strings.Join(lines, "\n"), "ip", "-batch", "-")
}

// tool runs a program in the namespace to its end.
func (s *space) tool(stdin, name string, args ...string) error {
	return s.do(func() error {
		cmd := exec.Command(name, args...)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w: %s%s", name, strings.Join(args, " "), err, stdin, out)
		}
		return nil
	})
}

// needSpaces skips a test where there can be no namespaces. A continuous run passes over nothing that it could do: there a
// root with the right to make namespaces must get a network in them.
func needSpaces(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("making network namespaces needs root")
	}
	s, err := newSpace()
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		t.Skipf("this system does not let root make network namespaces: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.end()
	err = s.ip("link set lo up", "link add br0 type bridge", "link add name card0 type veth peer name card1")
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("a network in a namespace cannot be made: %v", err)
	default:
		t.Skipf("a network in a namespace cannot be made: %v", err)
	}
}
