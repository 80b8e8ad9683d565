package mirror

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// FuzzNames gives a folder a link and a file of any names: nothing may be written beside it, and no link may lead out of it.
func FuzzNames(f *testing.F) {
	for _, n := range hostileNames() {
		f.Add("l", n, "l/"+n)
	}
	f.Add("a/b", "../..", "a/b/c")
	f.Add("a", "b/../..", "a/../evil")
	parent := f.TempDir()
	root := filepath.Join(parent, "root")
	f.Fuzz(func(t *testing.T, path, link, beneath string) {
		s := &fake{}
		if link != "" {
			s.entries = append(s.entries, entry{path: path, link: link})
		}
		if beneath != path {
			s.add(beneath, "evil")
		}
		if !tried(s) {
			return
		}
		// Errors are what most names give.
		_, _ = Sync(t.Context(), s, Dir(root), Options{Links: true, Prune: true})
		for p, f := range readDir(t, parent) {
			if !strings.HasPrefix(p, "root/") {
				t.Fatalf("%q was written for %q, %q, %q", p, path, link, beneath)
			}
			if f.link == "" {
				continue
			}
			to := filepath.Join(parent, filepath.Dir(p), f.link)
			if filepath.IsAbs(f.link) || to != root && !strings.HasPrefix(to, root+string(filepath.Separator)) {
				t.Fatalf("%q links to %q", p, f.link)
			}
		}
		if err := os.RemoveAll(root); err != nil {
			t.Fatal(err)
		}
	})
}

// tried tells whether any entry is written: names that a folder refuses do not come as far as the file system.
func tried(s *fake) bool {
	d := &folder{options: Options{Links: true}, windows: runtime.GOOS == "windows"}
	return slices.ContainsFunc(s.entries, func(e entry) bool { return d.check(e) == nil })
}
