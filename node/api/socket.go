package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/hypernode/hypernode/config"
)

// maxPath is the most bytes of a unix socket's path that every system takes.
const maxPath = 100

// RuntimePath returns where the socket of a node lies in the user's runtime folder ($XDG_RUNTIME_DIR), "" when there is none: for
// config.API.Socket, where the folder that holds everything is the user's and no other. Its name is made of that folder's, so that
// two of them do not meet.
func RuntimePath(c config.Config) string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if info, err := os.Stat(dir); err != nil || !filepath.IsAbs(dir) || !info.IsDir() || len(dir) > maxPath/2 {
		return ""
	}
	return filepath.Join(dir, "hypernode", shortName(filepath.Join(c.Path, "node.sock")))
}

// shortName is the name of the socket that stands for a path.
func shortName(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:8]) + ".sock"
}

// Path returns where the socket of a node lies: as configured, else in the folder that holds everything. A path that is too
// long for a socket is replaced by a short one, in the user's runtime folder ($XDG_RUNTIME_DIR), or in a folder of the user's
// own beside the system's temporary files.
func Path(c config.Config) string {
	path := c.API.Socket
	if path == "" {
		path = filepath.Join(c.Path, "node.sock")
	}
	abs, err := filepath.Abs(path)
	if err == nil {
		path = abs
	}
	if len(path) <= maxPath {
		return path
	}
	name := shortName(path)
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) && len(dir) < maxPath/2 {
		return filepath.Join(dir, "hypernode", name)
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("hypernode-%d", os.Getuid()), name)
}

// private makes a folder for the socket. The one beside the temporary files, where others can make folders too, must be no
// link, and only its owner may enter.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of the socket: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("looking at the folder of the socket: %w", err)
	}
	fallback := dir == filepath.Join(os.TempDir(), fmt.Sprintf("hypernode-%d", os.Getuid()))
	if fallback && runtime.GOOS != "windows" && (!info.IsDir() || info.Mode().Perm()&0o077 != 0) {
		return fmt.Errorf("making the socket: %w: others may enter %s", fs.ErrPermission, dir)
	}
	return nil
}

// listen makes the socket, for its owner alone. One that a dead process left is replaced; the caller holds the lock of the
// store, so that no other node is alive.
func listen(path string) (net.Listener, error) {
	if err := private(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, fmt.Errorf("making the socket %s: a node answers there", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing an old socket: %w", err)
	}
	// Bound under another name, so that nobody can open it before its mode is set.
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing an old socket: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("making the socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(fresh, 0o600)
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making the socket: %w", err), l.Close(), os.Remove(fresh))
	}
	return l, nil
}

// signpost makes a link in the folder that holds everything which leads to a socket that lies elsewhere, so that programs of another
// environment find it. That there is none is no harm. remove takes it away.
func signpost(c config.Config, socket string) (remove func()) {
	link := filepath.Join(c.Path, "node.sock")
	if c.Path == "" || link == socket {
		return func() {}
	}
	if info, err := os.Lstat(link); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		_ = os.Remove(link) // of a node that was killed
	}
	if os.Symlink(socket, link) != nil {
		return func() {}
	}
	return func() { _ = os.Remove(link) }
}
