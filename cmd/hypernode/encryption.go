package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
)

const keyHint = "give its key with --encryption-key-file or HYPERNODE_ENCRYPTION_KEY"

// checkName is the user data of a core that tells a wrong encryption key: blocks carry nothing that would.
const checkName = "hypernode/encryption-check"

func keyFlag(f *pflag.FlagSet, file *string) {
	f.StringVar(file, "encryption-key-file", "", "file with the encryption key, z-base-32 or hexadecimal (default $HYPERNODE_ENCRYPTION_KEY)")
}

// encryption reads the encryption key from the file, if one is named, else from the environment. It is never an argument,
// which all users of a machine can see. Without one the result is zero. No error repeats any of the key.
func (a *app) encryption(file string) (e core.Encryption, err error) {
	text, from := a.getenv("HYPERNODE_ENCRYPTION_KEY"), "HYPERNODE_ENCRYPTION_KEY"
	if file != "" {
		from = plain(file)
		if text, err = a.readKeyFile(file); err != nil {
			return e, fmt.Errorf("reading the encryption key: %w", err)
		}
	} else if text == "" {
		return e, nil
	}
	k, err := parseKey(strings.TrimSpace(text))
	if err != nil {
		return e, fail(exitUsage, "make one with: openssl rand -hex 32", "the encryption key in %s: %w", from, err)
	}
	if k.IsZero() {
		return e, fail(exitUsage, "make one with: openssl rand -hex 32", "the encryption key in %s is all zero", from)
	}
	return core.Encryption{Key: k}, nil
}

func (a *app) readKeyFile(name string) (string, error) {
	f, info, err := a.open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info.Mode.IsRegular() && info.Mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		a.say("warning: others can read the encryption key in %s", plain(name))
	}
	b, err := io.ReadAll(io.LimitReader(f, 1024))
	return string(b), err
}

// checkValue is what is stored beside a core to know its encryption key again. It does not give the key away.
func checkValue(c *core.Core, e core.Encryption) []byte {
	k := c.Key()
	sum := keys.HashKeyed(e.Key[:], []byte(checkName), k[:])
	return sum[:]
}

// remember stores the check of the encryption key of a core that was just made, unless it is there.
func remember(ctx context.Context, c *core.Core, e core.Encryption) error {
	if old, err := c.UserData(ctx, checkName); err != nil || old != nil {
		return err
	}
	return c.SetUserData(ctx, checkName, checkValue(c, e))
}

// unlock returns a handle that encrypts and decrypts, or c itself when there is nothing to do so. It refuses a key that is
// missing or wrong, and one for a core that was made here without encryption.
func unlock(ctx context.Context, s *corestore.Store, r reference, c *core.Core, e core.Encryption, readOnly bool) (*core.Core, error) {
	rec, err := s.Lookup(ctx, c.DiscoveryKey())
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", r, err)
	}
	switch ours := len(rec.Origin) > 0; {
	case e.IsZero() && rec.Encrypted:
		return nil, fail(exitSecret, keyHint, "opening %s: it is encrypted", r)
	case e.IsZero():
		return c, nil
	case ours && !rec.Encrypted:
		return nil, fail(exitRefused, "leave the encryption key away", "opening %s: it is not encrypted", r)
	}
	want, err := c.UserData(ctx, checkName)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", r, err)
	}
	if want != nil && !bytes.Equal(want, checkValue(c, e)) {
		return nil, fail(exitSecret, keyHint, "opening %s: this is not its encryption key", r)
	}
	if want == nil && !readOnly && c.Head().Length == 0 {
		if err := remember(ctx, c, e); err != nil {
			return nil, fmt.Errorf("opening %s: %w", r, err)
		}
	}
	return c.Session(core.Options{Encryption: e, ReadOnly: readOnly})
}
