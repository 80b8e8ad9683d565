package pebble

import (
	"fmt"
	"log/slog"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
)

// Defaults of Options, in bytes.
const (
	DefaultCacheSize   = 32 << 20
	DefaultMemTable    = 32 << 20
	DefaultJournalSize = 64 << 20
	DefaultSegmentSize = 256 << 20
	DefaultInline      = 256
)

// Options of a store. The zero value holds the defaults.
type Options struct {
	datastore.Options
	// FS is the file system; nil means the operating system's.
	FS vfs.FS
	// CacheSize is how many bytes of records are cached in memory; 0 means 32 MiB.
	CacheSize int64
	// MemTable is how many bytes of records are gathered in memory before they are sorted into a file, at least
	// 64 KiB; 0 means 32 MiB. Up to three times as many are held for short times.
	MemTable int64
	// JournalSize is the size in bytes at which a new journal file is begun; 0 means 64 MiB.
	JournalSize int64
	// SegmentSize is the size in bytes at which a new segment is begun, at most 2 GiB; 0 means 256 MiB.
	SegmentSize int64
	// Inline is the length of the largest block, in bytes, that lies in its record and not in a segment; 0 means
	// 256, a negative number means none.
	Inline int

	tune func(*pebble.Options) // for tests
}

func (o Options) withDefaults() (Options, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	for p, d := range map[*int64]int64{
		&o.CacheSize: DefaultCacheSize, &o.MemTable: DefaultMemTable,
		&o.JournalSize: DefaultJournalSize, &o.SegmentSize: DefaultSegmentSize,
	} {
		if *p < 0 {
			return o, fmt.Errorf("pebble: negative size in options")
		}
		if *p == 0 {
			*p = d
		}
	}
	o.MemTable = max(o.MemTable, 64<<10)
	if o.SegmentSize > math.MaxInt32 || o.JournalSize > math.MaxInt32 || o.MemTable > math.MaxInt32 {
		return o, fmt.Errorf("pebble: a size in options is above 2 GiB")
	}
	if o.Inline == 0 {
		o.Inline = DefaultInline
	}
	o.Inline = max(o.Inline, 0) // an empty block has no place in a segment
	return o, nil
}

// records returns the options that Pebble is opened with.
func (e *Engine) records() *pebble.Options {
	o := &pebble.Options{
		FS:                 e.fuse,
		DisableWAL:         true,
		CacheSize:          e.options.CacheSize + 2*e.options.MemTable, // memtables are taken out of it
		MemTableSize:       uint64(e.options.MemTable),
		FormatMajorVersion: pebble.FormatNewest,
		Logger:             e.health.logger(e.options.Logger, e.fuse),
		EventListener:      e.health.events(),
		// Commits are held back here, where a full disk can end the wait, and never inside of Pebble.
		MemTableStopWritesThreshold: 1 << 16,
		L0StopWritesThreshold:       1 << 16,
		L0CompactionThreshold:       4,
		MaxOpenFiles:                500,
		MaxManifestFileSize:         1 << 20,
		LBaseMaxBytes:               64 << 20,
		FlushSplitBytes:             32 << 20,
	}
	o.TargetFileSizes[0] = 8 << 20
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = filterPolicy
		o.Levels[i].BlockSize = 16 << 10
	}
	o.Experimental.ReadCompactionRate = math.MaxInt64 // reads start no compactions
	// A compaction that must wait is begun when another one ends. The scheduler that is made by default looks ten times a second
	// too, from a goroutine that a store which cannot be opened would leave behind.
	o.Experimental.CompactionScheduler = pebble.NewConcurrencyLimitSchedulerWithNoPeriodicGrantingForTest()
	o.DisableAutomaticCompactions = e.readOnly // they would end up in memory
	if e.options.tune != nil {
		e.options.tune(o)
	}
	return o
}
