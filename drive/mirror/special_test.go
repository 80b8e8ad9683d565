//go:build unix

package mirror

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

func TestSpecialFilesAreSkipped(t *testing.T) {
	dir, d := t.TempDir(), newDrive(t)
	model{"a": text("1")}.put(t, dir)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	var told []Change
	stats := syncTrees(t, Dir(dir), Drive(d), Options{Changed: func(c Change) { told = append(told, c) }})
	if stats.Added != 1 || stats.Skipped != 1 || len(told) != 2 || !errors.Is(told[0].Err, ErrSpecial) && !errors.Is(told[1].Err, ErrSpecial) {
		t.Errorf("%+v, %+v", stats, told)
	}
}
