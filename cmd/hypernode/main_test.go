package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hypernode": main})
}

// TestScripts runs the scripts of testdata/script, each with a folder and a store of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HYPERNODE_PATH", filepath.Join(e.WorkDir, "data"))
			e.Setenv("HYPERNODE_STORE_DURABILITY", "process") // of nodes; a test of many does not wait for the disk
			e.Setenv("ESC", "\x1b")
			e.Setenv("GORACE", "atexit_sleep_ms=0") // under the race detector each run would end with a second of sleep
			e.Setenv("NEWLINE", "\n")
			p := &processes{list: map[string]*process{}}
			e.Values[processKey{}] = p
			e.Defer(p.kill)
			return openToAll(e.WorkDir)
		},
		Condition: func(c string) (bool, error) {
			if c == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, errors.New("unknown condition " + c)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": code, "flip": flip, "setenv": setenv, "field": field,
			"start": launch, "feed": feed, "await": await, "send": send, "finish": finish, "as": choose, "disk": disk,
		},
	})
}

// openToAll lets other users reach the program and a script's folder, for the scripts that run it as somebody else.
func openToAll(dir string) error {
	program, err := exec.LookPath("hypernode")
	if err != nil || runtime.GOOS == "windows" {
		return err
	}
	for _, leaf := range []string{dir, filepath.Dir(program)} {
		for d := leaf; d != filepath.Clean(os.TempDir()) && d != filepath.Dir(d); d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// code runs a program that must end with an exit code: code 4 hypernode core get log 7.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code CODE program args...")
	}
	checkCode(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func checkCode(ts *testscript.TestScript, want string, err error) {
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}

// flip changes one bit of a text that lies in exactly one file of a folder: flip data/store/segments 'hello'.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip folder text")
	}
	found := 0
	err := filepath.WalkDir(ts.MkAbs(args[0]), func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if i := strings.Index(string(b), args[1]); i >= 0 {
			found++
			b[i] ^= 1
			return os.WriteFile(name, b, 0o600)
		}
		return nil
	})
	ts.Check(err)
	if found != 1 {
		ts.Fatalf("%q lies in %d files", args[1], found)
	}
}

// field puts a text of a JSON document into a variable: field KEY key stdout.
func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: field NAME field file")
	}
	var doc map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[2])), &doc))
	text, ok := doc[args[1]].(string)
	if !ok {
		ts.Fatalf("%s is no text", args[1])
	}
	ts.Setenv(args[0], text)
}

// setenv puts what the last program printed into a variable, without the line feed: setenv KEY stdout.
func setenv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: setenv NAME file")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}
