package interop

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hypernode/hypernode/drive"
)

// jsList fails unless a drive there lists and reads what this one does.
func (c *cell) jsList(j *jsDrive, d *drive.Drive) {
	c.t.Helper()
	var r struct {
		Entries []struct {
			Seq        uint64
			Name       string
			Executable bool
			Linkname   string
		}
	}
	c.must(j.do(c.ctx, "drive.list", Args{}, &r))
	n := 0
	for e, err := range d.List(c.ctx, "/", drive.ListOptions{}) {
		c.must(err)
		if n >= len(r.Entries) {
			c.t.Fatalf("%s is not listed", e.Path)
		}
		x := r.Entries[n]
		n++
		if x.Name != e.Path || x.Seq != e.Seq || x.Executable != e.Executable || x.Linkname != e.Link {
			c.t.Errorf("listed there is %+v, here %+v", x, e)
		}
		if e.IsLink() {
			continue
		}
		want, err := d.ReadFile(c.ctx, e.Path)
		c.must(err)
		var file struct{ Data []byte }
		c.must(j.do(c.ctx, "drive.get", Args{"path": e.Path, "ms": nil}, &file))
		if !bytes.Equal(file.Data, want) {
			c.t.Errorf("%s has %d bytes there, %d here", e.Path, len(file.Data), len(want))
		}
	}
	if n != len(r.Entries) {
		c.t.Errorf("%d entries there, %d here", len(r.Entries), n)
	}
}

// sameFolder fails unless two folders have the same files; links are left out.
func (c *cell) sameFolder(a, b string) {
	c.t.Helper()
	x, y := files(c.t, a), files(c.t, b)
	if len(x) == 0 {
		c.t.Fatal("an empty folder")
	}
	for name, data := range x {
		if other, ok := y[name]; !ok || other != data {
			c.t.Errorf("%s differs, or is not in %s", name, b)
		}
	}
	if len(x) != len(y) {
		c.t.Errorf("%d files in %s, %d in %s", len(x), a, len(y), b)
	}
}

// files returns the files below a folder with their contents and executable bit.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		m[name] = fmt.Sprint(info.Mode()&0o100, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
