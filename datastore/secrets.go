package datastore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// maxSecret is the largest secret, in bytes.
const maxSecret = 1 << 20

// FileSecrets keeps each secret in a file of mode 0600 in dir, which is made with mode 0700 when the first one is
// stored. It is for engines that own a folder.
func FileSecrets(dir string) Secrets { return fileSecrets{dir} }

type fileSecrets struct{ dir string }

// Load implements Secrets. It refuses a file that is a link or that others may read.
func (s fileSecrets) Load(name string) ([]byte, error) {
	if err := checkSecretName(name); err != nil {
		return nil, err
	}
	f, err := openSecret(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkPrivate(info); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err == nil && len(b) > maxSecret {
		err = fmt.Errorf("loading secret %s: %w: more than %d bytes", name, ErrTooLarge, maxSecret)
	}
	return b, err
}

// Store implements Secrets: it writes a new file, syncs it, and puts it in the place of the old one.
func (s fileSecrets) Store(name string, secret []byte) error {
	if err := checkSecretName(name); err != nil {
		return err
	}
	if len(secret) > maxSecret {
		return fmt.Errorf("storing secret %s: %w: more than %d bytes", name, ErrTooLarge, maxSecret)
	}
	if err := s.makeDir(); err != nil {
		return fmt.Errorf("storing secret %s: %w", name, err)
	}
	temp := s.temp(name)
	err := removeIfThere(temp)
	if err == nil {
		err = writeSynced(temp, secret)
	}
	if err == nil {
		err = os.Rename(temp, filepath.Join(s.dir, name))
	}
	if err != nil {
		return fmt.Errorf("storing secret %s: %w", name, errors.Join(err, removeIfThere(temp)))
	}
	return syncDir(s.dir)
}

// temp is the file that becomes the secret. A crash leaves it behind: the next Store or Remove of that name removes it.
func (s fileSecrets) temp(name string) string { return filepath.Join(s.dir, ".new-"+name) }

// Remove implements Secrets.
func (s fileSecrets) Remove(name string) error {
	if err := checkSecretName(name); err != nil {
		return err
	}
	if _, err := os.Lstat(s.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := errors.Join(removeIfThere(s.temp(name)), removeIfThere(filepath.Join(s.dir, name))); err != nil {
		return fmt.Errorf("removing secret %s: %w", name, err)
	}
	return syncDir(s.dir)
}

func (s fileSecrets) makeDir() error {
	err := os.Mkdir(s.dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(s.dir))
}

func checkPrivate(info fs.FileInfo) error {
	// Windows has no such rights: who may read a file there follows from the folder.
	exposed := info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows"
	if !info.Mode().IsRegular() || exposed {
		return fmt.Errorf("%w: %s has mode %v", ErrSecretExposed, info.Name(), info.Mode())
	}
	return nil
}

// checkSecretName keeps names within the folder.
func checkSecretName(name string) error {
	if name == "" || len(name) > 100 {
		return fmt.Errorf("%w: name of a secret has %d bytes", ErrKey, len(name))
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return fmt.Errorf("%w: name of a secret: %q", ErrKey, name)
		}
	}
	return nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
