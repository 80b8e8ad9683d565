package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The commands that the README shows must work, one after the other. Blocks in which another's key stands, or that serve
// until they are interrupted, cannot be run as they are: the scripts of serve, share, bee, drive and mirror have them.
func TestReadme(t *testing.T) {
	for _, program := range []string{"sh", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	b, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		if regexp.MustCompile(`(?m)^hypernode `).MatchString(block[1]) && !strings.Contains(block[1], "hyper://KEY") {
			script.WriteString(block[1])
		}
	}
	if n := strings.Count(script.String(), "hypernode "); n < 10 {
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
	for _, want := range []string{"hyper://", "0\n", "1..4\n", "hello\n", "a\nb\n", "events: ok", "length 3, fork 1\n", "cleared 2 blocks\n", "secret\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
}
