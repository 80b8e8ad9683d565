package datastore

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
	var id [8]byte
	rand.Read(id[:])
	temp := filepath.Join(s.dir, ".new-"+hex.EncodeToString(id[:]))
	err := writeSynced(temp, secret)
	if err == nil {
		err = os.Rename(temp, filepath.Join(s.dir, name))
	}
	if err != nil {
		return fmt.Errorf("storing secret %s: %w", name, errors.Join(err, removeIfThere(temp)))
	}
	return syncDir(s.dir)
}

// Remove implements Secrets.
func (s fileSecrets) Remove(name string) error {
	if err := checkSecretName(name); err != nil {
		return err
	}
	path := filepath.Join(s.dir, name)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.Remove(path); err != nil {
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
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
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

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
