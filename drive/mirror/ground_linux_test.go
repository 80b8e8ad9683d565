package mirror

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// groundIn makes a folder for the trees of a benchmark, which stay until all of it is over: ext4 without a journal leaves inodes alone
// that were freed within the last minutes, and looks through all of them for each new one. For the same reason the outer folder asks to
// have what is in it far from each other, by its name, and so far from what was removed by others. It is only asked.
func groundIn(b *testing.B, outer string) string {
	b.Helper()
	f, err := os.Open(outer)
	must(b, err)
	defer f.Close()
	if flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS); err == nil {
		const topDir = 0x20000 // FS_TOPDIR_FL
		_ = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags|topDir)
	}
	dir, err := os.MkdirTemp(outer, "ground-")
	must(b, err)
	return dir
}
