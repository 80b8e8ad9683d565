package pebble

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/internal/durable"
)

// dirty knows which files have bytes that are not on stable storage yet.
type dirty struct {
	running sync.Mutex // held by the sync that is running, and while a journal file is removed; guards failed
	failed  error      // of the first sync that failed: what it was to sync is lost

	mu       sync.Mutex            // guards the fields below
	seq      uint64                // of the last commit in the journal
	segments map[*segmentFile]bool // true: nothing is written any more, the sync closes it
	journals []*journalFile        // in order
	dirs     bool                  // a segment was created

	synced atomic.Uint64 // all commits up to this one are on stable storage
}

// segment notes that f was written.
func (d *dirty) segment(f *segmentFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addLocked(f, false)
}

// created notes that f was made.
func (d *dirty) created(f *segmentFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addLocked(f, false)
	d.dirs = true
}

// seal notes that f is not written any more; the next sync closes it.
func (d *dirty) seal(f *segmentFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addLocked(f, true)
}

func (d *dirty) addLocked(f *segmentFile, sealed bool) {
	if d.segments == nil {
		d.segments = map[*segmentFile]bool{}
	}
	d.segments[f] = d.segments[f] || sealed
}

func (d *dirty) journal(f *journalFile, seq uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.journals); n == 0 || d.journals[n-1] != f {
		d.journals = append(d.journals, f)
	}
	d.seq = seq
}

// take returns what there is to sync and forgets it.
func (d *dirty) take(journals bool) (t unsynced) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t = unsynced{seq: d.seq, segments: d.segments, dirs: d.dirs}
	d.segments, d.dirs = nil, false
	if journals {
		t.journals, d.journals = d.journals, nil
	}
	return t
}

// unsynced is what one sync has to do.
type unsynced struct {
	seq      uint64
	segments map[*segmentFile]bool
	journals []*journalFile
	dirs     bool
}

// sync puts the bytes of all segments on stable storage and, if journals is set, the frames of all commits that were in
// the journal when it was called. Only when both are there it may be believed that those commits outlive a power loss.
func (d *dirty) sync(fsys vfs.FS, segmentDir string, journals bool) error {
	d.running.Lock()
	defer d.running.Unlock()
	if d.failed == nil {
		d.failed = d.syncLocked(fsys, segmentDir, journals)
	}
	return d.failed
}

func (d *dirty) syncLocked(fsys vfs.FS, segmentDir string, journals bool) error {
	t := d.take(journals)
	if t.dirs {
		if err := durable.SyncDir(fsys, segmentDir); err != nil {
			return err
		}
	}
	if err := t.sync(); err != nil {
		return err
	}
	if journals {
		d.advance(t.seq)
	}
	return nil
}

// sync syncs the segments and the journal side by side: a file system that keeps a log of its own can serve both with
// one write of that. A crash may leave the frames without the block bytes; these are checked when the store is opened.
func (t *unsynced) sync() error {
	if len(t.segments) == 0 || len(t.journals) == 0 {
		return errors.Join(t.syncSegments(), t.syncJournals())
	}
	journals := make(chan error, 1)
	go func() { journals <- t.syncJournals() }()
	return errors.Join(t.syncSegments(), <-journals)
}

func (t *unsynced) syncSegments() error {
	var errs []error
	for f, sealed := range t.segments {
		errs = append(errs, f.file.SyncData())
		if sealed {
			errs = append(errs, f.file.Close())
		}
	}
	return errors.Join(errs...)
}

func (t *unsynced) syncJournals() error {
	for _, f := range t.journals {
		if err := f.file.SyncData(); err != nil {
			return err
		}
	}
	return nil
}

// advance notes that all commits up to seq are on stable storage.
func (d *dirty) advance(seq uint64) {
	for old := d.synced.Load(); old < seq && !d.synced.CompareAndSwap(old, seq); old = d.synced.Load() {
	}
}

// drop closes and removes journal files whose frames are in Pebble's files.
func (d *dirty) drop(fsys vfs.FS, files []*journalFile) error {
	d.running.Lock()
	defer d.running.Unlock()
	var errs []error
	for _, f := range files {
		d.forget(f)
		errs = append(errs, f.file.Close(), durable.Remove(fsys, f.name))
	}
	return errors.Join(errs...)
}

func (d *dirty) forget(f *journalFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, o := range d.journals {
		if o == f {
			d.journals = append(d.journals[:i:i], d.journals[i+1:]...)
			return
		}
	}
}
