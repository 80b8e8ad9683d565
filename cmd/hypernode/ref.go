package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
)

// scheme opens the address of a core.
const scheme = "hyper://"

// reference is what the user calls a core by: a local name, or its key.
type reference struct {
	name string   // empty with a key
	key  keys.Key // zero with a name
}

// parseRef reads a local name, a key, or the address of a core. What has the form of a key is one.
func parseRef(s string) (reference, error) {
	address := false
	text := s
	for _, prefix := range []string{scheme, "pear://"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			text, address = strings.TrimSuffix(rest, "/"), true
		}
	}
	key, err := parseKey(text)
	switch {
	case err == nil && key.IsZero():
		return reference{}, fail(exitUsage, "", "%s: a key of zeros names no core", plain(s))
	case err == nil:
		return reference{key: key}, nil
	case address && strings.ContainsAny(text, "/@"):
		return reference{}, fail(exitUsage, "leave away what follows the key", "%s: a core has no paths and no versions", plain(s))
	case address || strings.Contains(s, "://"):
		return reference{}, fail(exitUsage, "an address is "+scheme+" and 52 characters of z-base-32 or 64 of hexadecimal",
			"%s is not the address of a core", plain(s))
	case s == "" || len(s) > corestore.MaxName || !utf8.ValidString(s):
		return reference{}, fail(exitUsage, "", "%s: a name has 1 to %d bytes of UTF-8", plain(s), corestore.MaxName)
	}
	return reference{name: s}, nil
}

var errNoKey = errors.New("want 52 characters of z-base-32 or 64 of hexadecimal")

// parseKey reads a bare key. Its error does not repeat the text, which may be a secret.
func parseKey(text string) (keys.Key, error) {
	if len(text) != 52 && len(text) != 64 {
		return keys.Key{}, errNoKey
	}
	k, err := keys.Parse(text)
	if err != nil {
		return keys.Key{}, errNoKey
	}
	return k, nil
}

// String is how the reference is shown.
func (r reference) String() string {
	if r.name != "" {
		return plain(r.name)
	}
	return address(r.key)
}

// ref is the reference as a store understands it. The core must exist.
func (r reference) ref() corestore.Ref {
	ref := corestore.Key(r.key)
	if r.name != "" {
		ref = corestore.Name(r.name)
	}
	ref.MustExist = true
	return ref
}

// address is how the key of a core is shown.
func address(k keys.Key) string { return scheme + k.String() }

// open opens a core that the store holds.
func (r reference) open(ctx context.Context, s *corestore.Store, readOnly bool) (*core.Core, error) {
	ref := r.ref()
	ref.ReadOnly = readOnly
	c, err := s.Open(ctx, ref)
	if errors.Is(err, core.ErrNotFound) {
		return nil, fail(exitNotFound, `list the cores with "hypernode core info"`, "opening %s: the store has no such core", r)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", r, err)
	}
	return c, nil
}

// withCore opens the store and a core in it, and calls fn.
func (a *app) withCore(ctx context.Context, how access, text string, fn func(s *corestore.Store, r reference, c *core.Core) error) error {
	r, err := parseRef(text)
	if err != nil {
		return err
	}
	return a.withStore(ctx, how, func(s *corestore.Store) error {
		c, err := r.open(ctx, s, how == reading)
		if err != nil {
			return err
		}
		return fn(s, r, c)
	})
}
