package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// page returns a page of the project, by its path.
func page(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks are the texts between fences of a language.
func blocks(text, language string) (list []string) {
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

// The commands that docs/commands.md shows must work, one after the other. Blocks in which another's key or folder stands, or that
// serve until they are interrupted, cannot be run as they are: the scripts of serve, share, bee, drive and mirror have them.
func TestCommandsPage(t *testing.T) {
	for _, program := range []string{"sh", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	var script strings.Builder
	for _, block := range blocks(page(t, "docs", "commands.md"), "sh") {
		if strings.Contains(block, "hypernode ") && !regexp.MustCompile(`hyper://KEY|~/|node run`).MatchString(block) {
			script.WriteString(block)
		}
	}
	if n := strings.Count(script.String(), "hypernode "); n < 30 {
		t.Fatalf("only %d commands found", n)
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-e", "-c", script.String())
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HYPERNODE_PATH="+filepath.Join(dir, "data"), "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"hyper://", "0\n", "1..4\n", "hello\n", "a\nb\n", "events: ok", "length 3, fork 1\n", "cleared 2 blocks\n", "secret\n",
		"= 2MiB", "are valid", "socket", "41\n", "1\tput\tann\t41\n", "2\tput\t/a/hello.txt\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
}

// Every command and every long flag that the pages show exists.
func TestPagesShowWhatThereIs(t *testing.T) {
	a := &app{getenv: os.Getenv, environ: func() []string { return nil }}
	for _, text := range []string{page(t, "README.md"), page(t, "docs", "commands.md")} {
		for _, block := range blocks(text, "sh") {
			for line := range strings.Lines(block) {
				line, _, _ = strings.Cut(line, " #")
				for _, part := range regexp.MustCompile(`&&|\||>|\(|\)`).Split(line, -1) {
					words := strings.Fields(part)
					if strings.HasPrefix(part, "go run ./cmd/hypernode ") {
						words = words[2:]
					}
					if len(words) < 2 || words[0] != "hypernode" && words[0] != "./cmd/hypernode" {
						continue
					}
					c, rest, err := a.root().Find(words[1:])
					if err != nil || c.RunE == nil || c.HasSubCommands() {
						t.Errorf("%s: there is no such command", line)
						continue
					}
					for _, word := range rest {
						if name, ok := strings.CutPrefix(word, "--"); ok && c.Flag(name) == nil {
							t.Errorf("%s: there is no such flag as --%s", line, name)
						}
					}
				}
			}
		}
	}
}

// The program of the README is the body of a tested example, and compiles as it stands there.
func TestReadmeProgram(t *testing.T) {
	programs := blocks(page(t, "README.md"), "go")
	if len(programs) != 1 {
		t.Fatalf("%d programs", len(programs))
	}
	_, body, _ := strings.Cut(programs[0], "func main() {\n")
	_, example, _ := strings.Cut(page(t, "node", "example_drive_test.go"), "func ExampleNode_Drive() {\n")
	example, _, _ = strings.Cut(example, "\t// Output:")
	if body != example+"}\n" {
		t.Errorf("the README has\n%s\nthe example\n%s", body, example)
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(programs[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "vet", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Links between the pages lead somewhere.
func TestLinks(t *testing.T) {
	for _, path := range [][]string{{"README.md"}, {"docs", "commands.md"}, {"docs", "packages.md"}, {"docs", "protocol.md"}, {"docs", "scale.md"}} {
		folder := filepath.Join(append([]string{"..", ".."}, path[:len(path)-1]...)...)
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(page(t, path...), -1) {
			if _, err := os.Stat(filepath.Join(folder, filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s: %v", filepath.Join(path...), err)
			}
		}
	}
}
