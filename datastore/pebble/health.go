package pebble

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/hypernode/hypernode/datastore"
)

const filterPolicy = bloom.FilterPolicy(10)

// retryPause is how long Pebble waits before it tries to write a table file again after a failure.
const retryPause = 100 * time.Millisecond

// emptyTable is the text of the error with which Pebble tells of a flush that had nothing to write.
const emptyTable = "pebble: empty table"

// health is what is known about the disk. The first failure stays.
type health struct {
	failure atomic.Pointer[error] // wraps ErrStoreFailed
	damage  error                 // the store was damaged when it was opened; wraps ErrCorrupt
	closing chan struct{}         // closed when Close begins
	ending  chan struct{}         // closed before Pebble is closed
	limping atomic.Bool           // the last job of Pebble in the background failed

	mu   sync.Mutex    // guards the fields below
	lame error         // why the last flush of Pebble failed; it tries again by itself
	news chan struct{} // closed after each flush and when failure is set, then replaced
}

func newHealth() *health {
	return &health{closing: make(chan struct{}), ending: make(chan struct{}), news: make(chan struct{})}
}

// fail notes the failure of the disk and returns the error that tells of it.
func (h *health) fail(cause error) error {
	err := cause
	if !errors.Is(cause, datastore.ErrStoreFailed) {
		err = fmt.Errorf("%w: %w", datastore.ErrStoreFailed, cause)
	}
	h.failure.CompareAndSwap(nil, &err)
	h.tell(func() {})
	return *h.failure.Load()
}

// err returns the failure, or nil.
func (h *health) err() error {
	if err := h.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// trouble returns a channel that is closed when there is news, and why a flush of Pebble cannot be waited for, or nil.
func (h *health) trouble() (<-chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.err(); err != nil {
		return h.news, err
	}
	if isNoSpace(h.lame) {
		return h.news, fmt.Errorf("writing records: %w: %w", datastore.ErrNoSpace, h.lame)
	}
	return h.news, h.lame
}

// tell changes the state under the mutex and wakes those who wait for news.
func (h *health) tell(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
	close(h.news)
	h.news = make(chan struct{})
}

// pause holds Pebble back for a moment when its last job failed, and for good once the store is closing.
func (h *health) pause() error {
	if !h.limping.Load() {
		return nil
	}
	t := time.NewTimer(retryPause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-h.ending:
		return errAborted
	}
}

// events listens to Pebble's work in the background. Pebble calls it with its locks held.
func (h *health) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) { h.limping.Store(true) },
		CompactionEnd:   func(info pebble.CompactionInfo) { h.limping.Store(info.Err != nil) },
		FlushEnd: func(info pebble.FlushInfo) {
			err := info.Err
			if err != nil && err.Error() == emptyTable {
				err = nil
			}
			h.limping.Store(err != nil)
			h.tell(func() { h.lame = err })
		},
		DataCorruption: func(pebble.DataCorruptionInfo) {}, // whoever reads the place gets the error
	}
}

// logger gives Pebble a logger that never ends the process: what Pebble calls fatal fails the store.
func (h *health) logger(l *slog.Logger, f *fuse) pebble.Logger { return &recordsLogger{h, l, f} }

type recordsLogger struct {
	health *health
	log    *slog.Logger
	fuse   *fuse
}

// Infof implements pebble.Logger.
func (l *recordsLogger) Infof(string, ...any) {}

// Errorf implements pebble.Logger.
func (l *recordsLogger) Errorf(format string, args ...any) {
	l.log.Warn("records", "message", fmt.Sprintf(format, args...))
}

// Fatalf implements pebble.Logger.
func (l *recordsLogger) Fatalf(format string, args ...any) {
	var err error = worded{"records: " + fmt.Sprintf(format, args...), args}
	l.log.Error("records failed", "error", err)
	l.fuse.blow(err)
	_ = l.health.fail(err)
}
