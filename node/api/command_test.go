package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/hypernode/hypernode/node/api"
)

// disk is a file system in memory.
type disk map[string]string

func (d disk) Open(name string) (io.ReadCloser, api.FileInfo, error) {
	info, err := d.Stat(name)
	return io.NopCloser(strings.NewReader(d[name])), info, err
}

func (d disk) Stat(name string) (api.FileInfo, error) {
	if _, ok := d[name]; !ok {
		return api.FileInfo{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return api.FileInfo{Size: int64(len(d[name])), Mode: 0o640}, nil
}

func (d disk) Replace(name string, write func(w io.Writer) error) error {
	if name == "forbidden" {
		return fs.ErrPermission
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	d[name] = b.String()
	return nil
}

// give has a node carry out a command with what carryOut does.
func give(t *testing.T, ctx context.Context, cmd api.Command, carryOut func(ctx context.Context, c api.Command) int) (out string, code int, err error) {
	t.Helper()
	c, _, _ := serveWith(t, api.Options{Command: carryOut})
	var b bytes.Buffer
	cmd.Stdout = &b
	if cmd.Stderr == nil {
		cmd.Stderr = io.Discard
	}
	code, err = c.Command(ctx, cmd)
	return b.String(), code, err
}

func TestCommand(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 1<<16)
	files := disk{"a": large}
	cmd := api.Command{CommandLine: api.CommandLine{Args: []string{"x", "y"}, Terminal: true}, Stdin: strings.NewReader(large), Files: files}
	out, code, err := give(t, t.Context(), cmd, func(_ context.Context, c api.Command) int {
		if len(c.Args) != 2 || !c.Terminal {
			return 1
		}
		in, err := io.ReadAll(c.Stdin)
		if err != nil || string(in) != large {
			return 2
		}
		f, info, err := c.Files.Open("a")
		if err != nil || info.Size != int64(len(large)) || info.Mode != 0o640 {
			return 3
		}
		defer f.Close()
		if err := c.Files.Replace("b", func(w io.Writer) error { _, err := io.Copy(w, f); return err }); err != nil {
			return 4
		}
		if _, err := c.Files.Stat("none"); !errors.Is(err, fs.ErrNotExist) {
			return 5
		}
		if _, _, err := c.Files.Open("none"); !errors.Is(err, fs.ErrNotExist) {
			return 6
		}
		if err := c.Files.Replace("forbidden", func(io.Writer) error { return nil }); !errors.Is(err, fs.ErrPermission) {
			return 7
		}
		if err := c.Files.Replace("c", func(w io.Writer) error { fmt.Fprint(w, "half"); return io.ErrShortWrite }); !errors.Is(err, io.ErrShortWrite) {
			return 8
		}
		fmt.Fprint(c.Stdout, large)
		return 42
	})
	if err != nil || code != 42 || out != large || files["b"] != large || len(files) != 2 {
		t.Fatalf("code %d, %d bytes, %d files, %v", code, len(out), len(files), err)
	}
}

// An interrupt ends the command, not the connection: what it says in the end arrives.
func TestCommandInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	never, hold := io.Pipe()
	defer hold.Close()
	out, code, err := give(t, ctx, api.Command{Stdin: never}, func(ctx context.Context, c api.Command) int {
		go func() { _, _ = c.Stdin.Read(make([]byte, 1)) }() // ends with the connection
		cancel()
		<-ctx.Done()
		fmt.Fprint(c.Stdout, "interrupted")
		return 130
	})
	if err != nil || code != 130 || out != "interrupted" {
		t.Fatalf("%q, %d, %v", out, code, err)
	}
}

// Who gave the command leaves: the command ends.
func TestCommandLeft(t *testing.T) {
	ended := make(chan error, 1)
	c, _, _ := serveWith(t, api.Options{Command: func(ctx context.Context, c api.Command) int {
		for ctx.Err() == nil {
			fmt.Fprint(c.Stdout, "more")
		}
		_, err := c.Stdin.Read(make([]byte, 1))
		ended <- err
		return 0
	}})
	if _, err := c.Command(t.Context(), api.Command{Stdout: broken{}, Stderr: io.Discard}); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Fatal("it read on")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the command goes on")
	}
}

var errBroken = errors.New("nobody reads")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// A node without commands refuses them.
func TestNoCommands(t *testing.T) {
	c, _, _ := serve(t)
	var e *api.Error
	if _, err := c.Command(t.Context(), api.Command{}); !errors.As(err, &e) || e.Code != api.CodeRefused {
		t.Fatal(err)
	}
}
