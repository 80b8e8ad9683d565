package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func TestHouse(t *testing.T) {
	packages := list(t)
	if len(packages) < 3 {
		t.Fatalf("only %d packages found", len(packages))
	}
	for _, breach := range Check(House(), packages) {
		t.Error(breach)
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(TopLevel(), e.Name()) {
			t.Errorf("%s lies at the top level", e.Name())
		}
	}
}

// What the Makefile keeps from the race detector must be what is proven to start no goroutine.
func TestMakefileRacesAllThatIsNotPure(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^PURE *:=((?:.*\\\n)*.*)$`).FindSubmatch(b)
	if line == nil {
		t.Fatal("the Makefile has no PURE")
	}
	got := strings.Fields(strings.ReplaceAll(string(line[1]), "\\\n", " "))
	want := House().Pure
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("PURE is %q in the Makefile and %q here", got, want)
	}
}

// list asks the go command for the packages of the module and reads their source for go statements.
func list(t *testing.T) []Package {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,CgoFiles,Imports,Deps", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	packages := decode(t, out)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v", err)
	}
	return packages
}

func decode(t *testing.T, r io.Reader) (packages []Package) {
	t.Helper()
	for d := json.NewDecoder(r); ; {
		var l struct {
			ImportPath, Dir                  string
			GoFiles, CgoFiles, Imports, Deps []string
		}
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, Package{
			Path:    strings.TrimPrefix(l.ImportPath, Module+"/"),
			Imports: l.Imports,
			Deps:    l.Deps,
			Spawns:  spawns(t, l.Dir, append(l.GoFiles, l.CgoFiles...)),
		})
	}
}

// spawns returns where the files of a package start goroutines.
func spawns(t *testing.T, dir string, files []string) (positions []string) {
	t.Helper()
	set := token.NewFileSet()
	for _, name := range files {
		file, err := parser.ParseFile(set, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				positions = append(positions, fmt.Sprintf("%s:%d", name, set.Position(g.Go).Line))
			}
			return true
		})
	}
	return positions
}

func TestSpawnsAreFound(t *testing.T) {
	dir := t.TempDir()
	source := "package p\n\nfunc f() {\n\tfor range 2 {\n\t\tgo f()\n\t}\n\t_ = func() { go func() {}() }\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := spawns(t, dir, []string{"p.go"}), []string{"p.go:5", "p.go:7"}; !slices.Equal(got, want) {
		t.Errorf("go statements at %q, want %q", got, want)
	}
}
