package datastore

import (
	"fmt"
	"log/slog"
	"time"
)

// Durability says what holds of a commit when Update returns.
type Durability uint8

// The durabilities.
const (
	// Full: it is on stable storage and survives a power loss. Lazy updates are the exception, see Tx.Lazy.
	Full Durability = iota
	// Process: it has been handed to the kernel and survives the death of the process. It gets to stable storage as a
	// lazy update does.
	Process
)

// String returns "full" or "process".
func (d Durability) String() string {
	switch d {
	case Full:
		return "full"
	case Process:
		return "process"
	}
	return fmt.Sprintf("durability %d", uint8(d))
}

// Defaults and limits.
const (
	// DefaultSyncEvery is the longest time that a commit waits for a sync.
	DefaultSyncEvery = time.Second
	// DefaultSyncBytes is how much may be committed before a sync starts.
	DefaultSyncBytes = 64 << 20
	// DefaultReserve is the largest default of Options.Reserve, in bytes.
	DefaultReserve = 64 << 20

	maxGroup      = 1024    // updates in one commit
	maxGroupBytes = 8 << 20 // a group takes no further update when it has as many bytes
	maxRanges     = 64      // nor when it has as many range deletions
)

// Options of a DB. The zero value holds the defaults.
type Options struct {
	// Durability is Full by default.
	Durability Durability
	// ReadOnly opens the store for views only: Update returns ErrReadOnly, and nothing is written.
	ReadOnly bool
	// Reserve is the free space in bytes that is kept back: when an update would go below it, it fails with
	// ErrNoSpace, unless it only deletes. 0 means the smaller of 64 MiB and a tenth of the medium; a negative number
	// means none. It needs an engine that knows its free space.
	Reserve int64
	// Secrets is the place for secrets when the engine has none of its own.
	Secrets Secrets
	// Logger gets what happens in the background; nil means nothing is logged. It never gets a key or a value.
	Logger *slog.Logger
	// SyncEvery is the longest time that a commit which is not durable waits for a sync; 0 means one second, a
	// negative time means that only SyncBytes, Sync, OnSynced and Close bring about a sync.
	SyncEvery time.Duration
	// SyncBytes is how many bytes may wait for a sync before one starts; 0 means 64 MiB.
	SyncBytes int64
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.SyncEvery == 0 {
		o.SyncEvery = DefaultSyncEvery
	}
	if o.SyncBytes <= 0 {
		o.SyncBytes = DefaultSyncBytes
	}
	return o
}
