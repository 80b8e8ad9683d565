package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

func (a *app) beeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bee",
		Short: "Key/value stores: put, get, del, ls, history, diff, import, export",
		Long: `A bee is a sorted key/value store in a core. Each change is a block, so that every
version stays readable: REF@VERSION is the bee as it was when the core had that
length.

REF is a local name, or a key: hyper://KEY, or KEY alone. Keys and values are
bytes. With --peer what the store lacks is fetched while reading.`,
		Example: `  hypernode bee put ages ann 41
  hypernode bee get ages ann
  hypernode bee ls ages --prefix a
  hypernode bee diff ages@2 ages`,
	}
	group(c)
	c.AddCommand(a.beePutCommand(), a.beeGetCommand(), a.beeDelCommand(), a.beeListCommand(), a.beeHistoryCommand(),
		a.beeDiffCommand(), a.beeImportCommand(), a.beeExportCommand())
	return c
}

// jsonEntry is an entry in JSON. Bytes that are no UTF-8 are given in base64.
type jsonEntry struct {
	Seq         uint64  `json:"seq,omitempty"`
	Op          string  `json:"op,omitempty"`
	Key         *string `json:"key,omitempty"`
	KeyBase64   *string `json:"key_base64,omitempty"`
	Value       *string `json:"value,omitempty"`
	ValueBase64 *string `json:"value_base64,omitempty"`
}

func newJSONEntry(e bee.Entry) (j jsonEntry) {
	j.Seq = e.Seq
	j.Key, j.KeyBase64 = textOrBase64(e.Key)
	if e.Value != nil {
		j.Value, j.ValueBase64 = textOrBase64(e.Value)
	}
	return j
}

func textOrBase64(b []byte) (text, coded *string) {
	s := string(b)
	if utf8.ValidString(s) {
		return &s, nil
	}
	s = base64.StdEncoding.EncodeToString(b)
	return nil, &s
}

// entryLine is an entry as a line for people: key, tab, value, with what could break the line spelled out.
func entryLine(e bee.Entry) string {
	if e.Value == nil {
		return oneField(e.Key)
	}
	return oneField(e.Key) + "\t" + oneField(e.Value)
}

// withBee opens a bee to be read.
func (a *app) withBee(ctx context.Context, text string, f *peerFlags, fn func(ctx context.Context, b *bee.Bee) error) error {
	v, err := parseVersioned(text)
	if err != nil {
		return err
	}
	return a.withReader(ctx, v.reference, f, func(ctx context.Context, c *core.Core) (err error) {
		b, err := bee.OpenWith(ctx, c, bee.Options{ReadOnly: true})
		if err != nil {
			return fmt.Errorf("opening %s: %w", v.reference, err)
		}
		defer func() { err = closed(err, "closing the bee", b.Close()) }()
		if c.Head().Length > 0 {
			if is, err := bee.IsBee(ctx, c); err != nil || !is {
				return notBee(v.reference, err)
			}
		}
		if v.version > 0 {
			b = b.At(v.version)
		}
		return wrapRef(v.reference, fn(ctx, b))
	})
}

func notBee(r reference, err error) error {
	if err != nil {
		return fmt.Errorf("opening %s: %w", r, err)
	}
	return fail(exitRefused, `read it with "hypernode core get"`, "opening %s: the core is no bee", r)
}

// wrapRef puts the name of what was read before an error, but for errors that tell all.
func wrapRef(r reference, err error) error {
	var f *failure
	if err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, core.ErrNotAvailable) {
		return fail(exitNotFound, missingHint, "reading %s: %w", r, err)
	}
	return fmt.Errorf("reading %s: %w", r, err)
}

// withBeeWriter opens a bee to be changed; a name that is new makes one.
func (a *app) withBeeWriter(ctx context.Context, text string, how access, fn func(b *bee.Bee) error) error {
	r, err := parseRef(text)
	if err != nil {
		return err
	}
	return a.withStore(ctx, how, func(s *corestore.Store) (err error) {
		ref := r.ref()
		ref.MustExist = how != making || r.name == ""
		c, err := s.Open(ctx, ref)
		if err != nil {
			return fmt.Errorf("opening %s: %w", r, err)
		}
		if c.Head().Length > 0 {
			if is, err := bee.IsBee(ctx, c); err != nil || !is {
				return notBee(r, err)
			}
		}
		b, err := bee.Open(ctx, c)
		if err != nil {
			return fmt.Errorf("opening %s: %w", r, err)
		}
		defer func() { err = closed(err, "closing the bee", b.Close()) }()
		if err := fn(b); err != nil {
			return wrapRef(r, err)
		}
		a.detail("%s is at version %d", address(c.Key()), b.Version())
		return nil
	})
}

// rangeFlags choose entries by key.
type rangeFlags struct {
	gt, gte, lt, lte, prefix string
	reverse                  bool
	limit                    int
	set                      *pflag.FlagSet
}

func (f *rangeFlags) add(s *pflag.FlagSet) {
	f.set = s
	s.StringVar(&f.gt, "gt", "", "keys after this one")
	s.StringVar(&f.gte, "gte", "", "keys from this one on")
	s.StringVar(&f.lt, "lt", "", "keys before this one")
	s.StringVar(&f.lte, "lte", "", "keys up to this one")
	s.StringVar(&f.prefix, "prefix", "", "keys that begin so")
	s.BoolVar(&f.reverse, "reverse", false, "in descending order")
	s.IntVar(&f.limit, "limit", 0, "at most so many")
}

func (f *rangeFlags) value() (r bee.Range, err error) {
	bound := func(name, text string) []byte {
		if !f.set.Changed(name) {
			return nil
		}
		return []byte(text)
	}
	r = bee.Range{GT: bound("gt", f.gt), GTE: bound("gte", f.gte), LT: bound("lt", f.lt), LTE: bound("lte", f.lte),
		Reverse: f.reverse, Limit: f.limit}
	if f.limit < 0 {
		return r, fail(exitUsage, "", "--limit is %d", f.limit)
	}
	if !f.set.Changed("prefix") {
		return r, nil
	}
	if r.GT != nil || r.GTE != nil || r.LT != nil || r.LTE != nil {
		return r, fail(exitUsage, "", "--prefix goes with no other bound")
	}
	r.GTE = []byte(f.prefix)
	r.LT = after([]byte(f.prefix))
	return r, nil
}

// after returns the first key behind all that begin with prefix, nil when there is none.
func after(prefix []byte) []byte {
	for n := len(prefix); n > 0; n-- {
		if prefix[n-1] != 0xff {
			next := append([]byte(nil), prefix[:n]...)
			next[n-1]++
			return next
		}
	}
	return nil
}
