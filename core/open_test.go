package core

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/datastore"
)

func TestOpenRefusals(t *testing.T) {
	db := memoryDB(t, datastore.Options{})
	pair, other := pairOf(1), pairOf(2)
	key := manifest.Single(pair.Public).Key()
	for name, c := range map[string]struct {
		o    Options
		want error
	}{
		"nothing":           {Options{}, ErrOptions},
		"unknown discovery": {Options{Discovery: key.Discovery()}, ErrNotFound},
		"must exist":        {Options{Key: key, MustExist: true}, ErrNotFound},
		"another's pair":    {Options{Manifest: manifest.Single(pair.Public), Pair: other}, ErrOptions},
		"key and pair":      {Options{Key: key, Pair: other}, ErrOptions},
		"key and manifest":  {Options{Key: key, Manifest: manifest.Single(other.Public)}, ErrOptions},
		"key and discovery": {Options{Key: key, Discovery: keys.DiscoveryKey{1}}, ErrOptions},
		"a large origin":    {Options{Pair: pair, Origin: make([]byte, 2000)}, ErrOptions},
	} {
		if _, err := Open(t.Context(), db, c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	c := openCore(t, db, Options{Key: key})
	if _, err := Open(t.Context(), db, Options{Pair: pair}); !errors.Is(err, ErrInUse) {
		t.Error(err)
	}
	if err := Delete(t.Context(), db, c.DiscoveryKey()); !errors.Is(err, ErrInUse) {
		t.Error(err)
	}
}

// TestSecretIsKept opens a core by its pair, and writes it by its key.
func TestSecretIsKept(t *testing.T) {
	db := memoryDB(t, datastore.Options{})
	pair := pairOf(1)
	c := openCore(t, db, Options{Pair: pair})
	mustAppend(t, c, []byte("a"))
	key := c.Key()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		c = openCore(t, db, Options{Key: key})
		mustAppend(t, c, []byte("b"))
		n, err := c.Session(Options{})
		if err != nil {
			t.Fatal(err)
		}
		mustAppend(t, n, []byte("c"))
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	c = openCore(t, db, Options{Key: key})
	if _, err := c.Append(t.Context(), []byte("d")); !errors.Is(err, ErrNotWritable) {
		t.Fatalf("append after the secret went: %v", err)
	}
	// A session brings the pair to a core that was opened to be read, and it is kept from then on.
	s, err := c.Session(Options{Pair: pair})
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, []byte("e"))
	if _, err := c.Session(Options{Pair: pairOf(2)}); !errors.Is(err, ErrOptions) {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, openCore(t, db, Options{Key: key}), []byte("f"))
}

func TestReadOnly(t *testing.T) {
	c := newWriter(t, 1, numbered(0, 3)...)
	r, err := c.Session(Options{Pair: pairOf(1), Derived: true, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	for _, x := range []*Core{r, s} {
		_, err := x.Append(ctx, []byte("x"))
		for _, err := range []error{err, x.Truncate(ctx, 0), x.Clear(ctx, 0, 1), x.Delete(ctx), x.SetUserData(ctx, "a", []byte("b"))} {
			wantErr(t, "a change", err, ErrNotWritable)
		}
	}
	wantErr(t, "a large block", func() error { _, err := c.Append(ctx, make([]byte, MaxBlock+1)); return err }(), ErrBlockSize)
	wantErr(t, "large user data", c.SetUserData(ctx, "a", make([]byte, MaxUserData)), ErrBlockSize)
	wantErr(t, "a fork that was", c.TruncateTo(ctx, 1, 0), ErrOptions)
	wantErr(t, "a fork beyond 2^53", c.TruncateTo(ctx, 1, 1<<53), ErrOptions)
	wantErr(t, "a cut behind the end", c.Truncate(ctx, 4), ErrOutOfRange)
}

func TestClosed(t *testing.T) {
	db := memoryDB(t, datastore.Options{})
	var handles, shut int
	o := Options{Pair: pairOf(1), Derived: true, OnClose: func() { handles++ }, OnShut: func() { shut++ }}
	c := openCore(t, db, o)
	s, err := c.Session(o)
	if err != nil {
		t.Fatal(err)
	}
	waited, head := make(chan error, 2), s.Head()
	go func() { _, err := s.Wait(context.Background(), head); waited <- err }()
	if err := errors.Join(c.Close(), c.Close()); err != nil || handles != 1 || shut != 0 {
		t.Fatal(err, handles, shut)
	}
	_, err = c.Append(t.Context(), []byte("x"))
	wantErr(t, "append", err, ErrClosed)
	mustAppend(t, s, []byte("x"))
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	head = s.Head()
	go func() { _, err := s.Wait(context.Background(), head); waited <- err }()
	if err := s.Close(); err != nil || handles != 2 || shut != 1 {
		t.Fatal(err, handles, shut)
	}
	wantErr(t, "wait", <-waited, ErrClosed)
	mustGet(t, openCore(t, db, Options{Key: c.Key()}), 0, []byte("x"))
}

func TestExclusive(t *testing.T) {
	c := newWriter(t, 1)
	a, err := c.Session(Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Session(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it has it
		if err := a.Exclusive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantErr(t, "exclusive", b.Exclusive(ctx), context.Canceled)
	got := make(chan error, 1)
	go func() { got <- b.Exclusive(context.Background()) }()
	mustAppend(t, a, []byte("x"))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	go func() { got <- c.Exclusive(context.Background()) }()
	if err := b.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "exclusive on a deleted core", <-got, ErrDeleted)
}

// TestCounter loses the counter of cores: no number is given twice.
func TestCounter(t *testing.T) {
	db := memoryDB(t, datastore.Options{})
	for i := range byte(3) {
		c := openCore(t, db, Options{Pair: pairOf(i), Derived: true})
		mustAppend(t, c, []byte{i})
	}
	err := db.Update(t.Context(), func(tx *datastore.Tx) error {
		tx.Set(counterKey(), []byte("broken"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c := openCore(t, db, Options{Pair: pairOf(9), Derived: true})
	mustAppend(t, c, []byte{9})
	if c.log.id != 4 {
		t.Fatalf("number %d", c.log.id)
	}
}

func TestUserData(t *testing.T) {
	c := newWriter(t, 1)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if err := c.SetUserData(t.Context(), string(all), all); err != nil {
		t.Fatal(err)
	}
	if got, err := c.UserData(t.Context(), string(all)); err != nil || !bytes.Equal(got, all) {
		t.Fatalf("%x, %v", got, err)
	}
	if got, err := c.UserData(t.Context(), string(all[1:])); err != nil || got != nil {
		t.Fatalf("%x, %v", got, err)
	}
}
