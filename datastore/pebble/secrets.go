package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable"
)

const (
	maxSecret     = 1 << 20 // bytes
	maxSecretName = 100
)

// secrets keeps each secret in a file of mode 0600: the checksum of name and secret, then the secret.
type secrets struct{ e *Engine }

// Secrets implements datastore.SecretKeeper.
func (e *Engine) Secrets() datastore.Secrets { return e.secretStore() }

func (e *Engine) secretStore() secrets { return secrets{e} }

func (s secrets) path(name string) (string, error) {
	if name == "" || len(name) > maxSecretName {
		return "", fmt.Errorf("secret: name of %d bytes", len(name))
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return "", fmt.Errorf("secret: name %q", name)
		}
	}
	return s.e.fs.PathJoin(s.e.dir, secretsDir, name), nil
}

// Load implements datastore.Secrets. It refuses a file that is a link, or that others than its owner may touch.
func (s secrets) Load(name string) ([]byte, error) {
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	b, err := s.read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, datastore.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("loading secret %s: %w", name, err)
	}
	if len(bytes.Trim(b, "\x00")) == 0 {
		return nil, datastore.ErrNotFound // a crash came between its erasure and its removal
	}
	if len(b) < 4 || datastore.Checksum([]byte(name), b[4:]) != binary.LittleEndian.Uint32(b) {
		return nil, corrupt("secret %s", name)
	}
	return b[4:], nil
}

func (s secrets) read(path string) ([]byte, error) {
	onDisk := vfs.Root(s.e.options.FS) == vfs.Default
	var before fs.FileInfo
	if onDisk {
		info, err := os.Lstat(path)
		if err != nil {
			return nil, err
		}
		// Windows has no such rights: who may read a file there follows from the folder.
		exposed := info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows"
		if !info.Mode().IsRegular() || exposed {
			return nil, fmt.Errorf("%w: it has mode %v", datastore.ErrSecretExposed, info.Mode())
		}
		before = info
	}
	f, err := s.e.fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if onDisk {
		after, err := f.Stat()
		if err != nil {
			return nil, err
		}
		if !sameFile(before, after) {
			return nil, fmt.Errorf("%w: it was replaced", datastore.ErrSecretExposed)
		}
	}
	return io.ReadAll(io.LimitReader(f, maxSecret+4))
}

// Store implements datastore.Secrets.
func (s secrets) Store(name string, secret []byte) error {
	path, err := s.path(name)
	if err != nil {
		return err
	}
	if len(secret) > maxSecret {
		return fmt.Errorf("storing secret %s: %w", name, datastore.ErrTooLarge)
	}
	if err := s.writable(); err != nil {
		return fmt.Errorf("storing secret %s: %w", name, err)
	}
	b := binary.LittleEndian.AppendUint32(nil, datastore.Checksum([]byte(name), secret))
	if err := durable.WriteFile(s.e.fs, path, append(b, secret...), 0o600); err != nil {
		if isNoSpace(err) {
			err = fmt.Errorf("%w: %w", datastore.ErrNoSpace, err)
		}
		return fmt.Errorf("storing secret %s: %w", name, err)
	}
	return nil
}

// Remove implements datastore.Secrets. The bytes are overwritten before the file goes, as far as the medium lets.
func (s secrets) Remove(name string) error {
	path, err := s.path(name)
	if err != nil {
		return err
	}
	if _, err := s.e.fs.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err = s.writable(); err == nil {
		err = s.erase(path)
	}
	if err != nil {
		return fmt.Errorf("removing secret %s: %w", name, err)
	}
	return nil
}

// sweep removes what a crash left of the storing of a secret.
func (s secrets) sweep() error {
	dir := s.e.fs.PathJoin(s.e.dir, secretsDir)
	names, err := s.e.fs.List(dir)
	if err != nil {
		return fmt.Errorf("listing the secrets: %w", err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".tmp") {
			if err := s.erase(s.e.fs.PathJoin(dir, name)); err != nil {
				return fmt.Errorf("removing a torn secret: %w", err)
			}
		}
	}
	return nil
}

// erase overwrites a file and removes it.
func (s secrets) erase(path string) error {
	info, err := s.e.fs.Stat(path)
	if err != nil {
		return err
	}
	if err := s.wipe(path, info.Size()); err != nil {
		return err
	}
	if err := durable.Remove(s.e.fs, path); err != nil {
		return err
	}
	return durable.SyncDir(s.e.fs, s.e.fs.PathDir(path))
}

func (s secrets) wipe(path string, size int64) error {
	f, err := s.e.fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, min(size, maxSecret+4)), 0)
	return errors.Join(err, f.Sync(), f.Close())
}

func (s secrets) writable() error {
	switch {
	case s.e.isClosed():
		return datastore.ErrClosed
	case s.e.readOnly:
		return datastore.ErrReadOnly
	}
	return nil
}
