package corestore

import "errors"

// Errors that callers branch on. Those of package core come through as they are.
var (
	// ErrClosed: the store, or the session of it, is closed.
	ErrClosed = errors.New("corestore: closed")
	// ErrInUse: a store of the same database is open already.
	ErrInUse = errors.New("corestore: already open")
	// ErrPrimaryKey: the store was made with another primary key than the one given.
	ErrPrimaryKey = errors.New("corestore: the store belongs to another primary key")
	// ErrNoSecrets: there is no place to keep a primary key, and none was given.
	ErrNoSecrets = errors.New("corestore: the store has no place for secrets, give it a primary key")
	// ErrName: a name that is empty or too long.
	ErrName = errors.New("corestore: invalid name")
	// ErrIncomplete: a static core is to be made of a log that is empty, or not all here.
	ErrIncomplete = errors.New("corestore: the log is not complete")
)
