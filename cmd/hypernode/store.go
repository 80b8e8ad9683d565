package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/badger"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// access says what a command does with the store.
type access uint8

const (
	reading access = iota // changes nothing, and may run beside other readers
	writing               // changes a store that exists
	making                // makes the store when there is none
)

const noStoreHint = `"hypernode share", "get", "seed" and "core create" make one; another folder is named with --path`

// withStore opens the store, calls fn, and closes it. What closing fails with is an error of the command.
func (a *app) withStore(ctx context.Context, how access, fn func(s *corestore.Store) error) error {
	return a.withStoreOf(ctx, how, corestore.Options{}, fn)
}

// withStoreOf is withStore for a store with options.
func (a *app) withStoreOf(ctx context.Context, how access, o corestore.Options, fn func(s *corestore.Store) error) (err error) {
	if a.host != nil {
		return a.withHost(fn)
	}
	db, dir, err := a.openDB(how)
	if err != nil {
		return err
	}
	defer func() { err = closed(err, "closing the store", db.Close()) }()
	if err := a.checkHealth(db, how); err != nil {
		return err
	}
	s, err := corestore.Open(ctx, db, o)
	if how == reading && errors.Is(err, datastore.ErrReadOnly) {
		return noStore(dir) // its making was interrupted before it had a key
	}
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	defer func() { err = closed(err, "closing the cores", s.Close()) }()
	return fn(s)
}

// closed is the error of a command whose end was an error too, or not. The first one tells more.
func closed(err error, what string, end error) error {
	if err != nil || end == nil {
		return err
	}
	return fmt.Errorf("%s: %w", what, end)
}

// openDB opens the store that is configured.
func (a *app) openDB(how access) (*datastore.DB, string, error) {
	c, _, err := a.configuration(&nodeFlags{}, true)
	if err != nil {
		return nil, "", err
	}
	dir := c.StorePath()
	o := datastore.Options{Logger: a.logger(), ReadOnly: how == reading}
	if a.durability == "" {
		a.durability = c.Store.Durability
	}
	if o.Durability, err = parseDurability(a.durability); err != nil {
		return nil, "", err
	}
	if how != making {
		there, err := storeExists(c)
		if err != nil {
			return nil, "", fmt.Errorf("looking for the store: %w", err)
		}
		if !there {
			return nil, "", noStore(dir)
		}
	}
	a.detail("opening the store %s", plain(dir))
	db, err := openEngine(c.Store.Engine, dir, o)
	if how != making && errors.Is(err, fs.ErrNotExist) && !errors.Is(err, datastore.ErrCorrupt) {
		return nil, "", noStore(dir)
	}
	return db, dir, err
}

func openEngine(engine, dir string, o datastore.Options) (*datastore.DB, error) {
	switch engine {
	case "memory":
		return datastore.NewMemory(o), nil
	case "badger":
		return badger.Open(dir, badger.Options{Options: o})
	}
	return pebble.Open(dir, pebble.Options{Options: o})
}

func noStore(dir string) error {
	return fail(exitNoStore, noStoreHint, "opening the store %s: there is none", plain(dir))
}

// checkHealth refuses to change a damaged store, and tells of the damage before it is read.
func (a *app) checkHealth(db *datastore.DB, how access) error {
	err := db.Err()
	if err == nil {
		return nil
	}
	if how != reading {
		return fmt.Errorf("opening the store: %w", err)
	}
	a.say("warning: the store is damaged: %s", err)
	return nil
}

func parseDurability(s string) (datastore.Durability, error) {
	for _, d := range []datastore.Durability{datastore.Full, datastore.Process} {
		if s == d.String() {
			return d, nil
		}
	}
	if s == "" {
		return datastore.Full, nil
	}
	return 0, fail(exitUsage, "", "--durability is %q: want full (survives a power loss) or process (survives the end of the process)", s)
}
