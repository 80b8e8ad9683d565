package badger

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	badgerdb "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/hypernode/hypernode/datastore"
)

// Defaults.
const (
	// DefaultMemory is the size of a table in memory, in bytes.
	DefaultMemory = 16 << 20
	// DefaultCache is the size of the cache of table blocks, in bytes.
	DefaultCache = 32 << 20

	valueThreshold = 1 << 10 // from here on a value lies in the value log
	valueLogSize   = 128 << 20
	maxValue       = valueLogSize - 1<<20 // the largest value, which lies in one file of the value log
)

// Options of a store. The zero value holds the defaults.
type Options struct {
	datastore.Options
	// Memory is the size of a table in memory in bytes, at least 1 MiB; 0 means 16 MiB. Up to five of them may wait to
	// be written out.
	Memory int64
	// Cache is the size of the cache in bytes; 0 means 32 MiB.
	Cache int64
}

func (o Options) badger(dir string) badgerdb.Options {
	b := badgerdb.DefaultOptions(dir)
	b.SyncWrites = o.Durability == datastore.Full && !o.ReadOnly
	b.ReadOnly = o.ReadOnly
	b.MemTableSize, b.BlockCacheSize = DefaultMemory, DefaultCache
	if o.Memory != 0 {
		b.MemTableSize = max(o.Memory, 1<<20)
	}
	if o.Cache > 0 {
		b.BlockCacheSize = o.Cache
	}
	b.ValueThreshold, b.ValueLogFileSize = valueThreshold, valueLogSize
	b.DetectConflicts = false // there is one writer
	b.MetricsEnabled = false
	b.NumCompactors = 2
	b.Compression = options.None // blocks are mostly encrypted or compressed already
	b.Logger = logger{o.Logger}
	return b
}

// logger gives what Badger has to say to an slog.Logger, as details of a constant message.
type logger struct{ l *slog.Logger }

func (l logger) say(level slog.Level, format string, args []any) {
	if l.l != nil {
		l.l.Log(context.Background(), level, "badger", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

// Errorf implements badgerdb.Logger.
func (l logger) Errorf(f string, args ...any) { l.say(slog.LevelError, f, args) }

// Warningf implements badgerdb.Logger.
func (l logger) Warningf(f string, args ...any) { l.say(slog.LevelWarn, f, args) }

// Infof implements badgerdb.Logger.
func (l logger) Infof(f string, args ...any) { l.say(slog.LevelDebug, f, args) }

// Debugf implements badgerdb.Logger.
func (l logger) Debugf(string, ...any) {}
