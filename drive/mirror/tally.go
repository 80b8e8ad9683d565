package mirror

import (
	"sync"
	"time"
)

// tally is what a run has to tell. Its methods may be called from several goroutines; callbacks are called one at a time.
type tally struct {
	changed  func(Change)
	progress func(Progress)

	mu      sync.Mutex // guards all below
	stats   Stats
	partial PartialError
	now     Progress
	last    time.Time
}

// reportEvery is how often progress is told.
const reportEvery = 100 * time.Millisecond

func (t *tally) start(o *Options) { t.changed, t.progress = o.Changed, o.Progress }

// expect counts a file that will be dealt with.
func (t *tally) expect(e *entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.TotalFiles++
	t.now.TotalBytes += max(e.size, 0)
}

// report tells how far the run is, if it is time.
func (t *tally) report(last bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reportLocked(last)
}

func (t *tally) reportLocked(last bool) {
	if t.progress != nil && (last || time.Since(t.last) >= reportEvery) {
		t.last = time.Now()
		t.progress(t.now)
	}
}

// read counts bytes that came from the source; as progress, if they count as that.
func (t *tally) read(path string, n, progress int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.BytesRead += n
	t.now.Bytes += progress
	t.now.Path = path
	t.reportLocked(false)
}

func (t *tally) tell(op Op, path string, bytes int64, err error) {
	if t.changed != nil {
		t.changed(Change{op, path, bytes, err})
	}
}

// done counts a file of the source that is dealt with. rest is what progress lacks of its bytes.
func (t *tally) doneLocked(e *entry, rest int64) {
	t.stats.Files++
	t.now.Files++
	t.now.Bytes += rest
	t.now.Path = e.path
	t.reportLocked(false)
}

func (t *tally) unchanged(e *entry, rest int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Unchanged++
	t.doneLocked(e, rest)
}

// wrote counts a file that was added or changed.
func (t *tally) wrote(e *entry, added bool, written, rest int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	op := Modify
	if added {
		op = Add
		t.stats.Added++
	} else {
		t.stats.Changed++
	}
	t.stats.BytesWritten += written
	t.doneLocked(e, rest)
	t.tell(op, e.path, e.size, nil)
}

func (t *tally) removed(e *entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Removed++
	t.tell(Remove, e.path, e.size, nil)
}

// skip counts a file of the source that is passed over.
func (t *tally) skip(e *entry, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Skipped++
	t.doneLocked(e, 0)
	t.tell(Skip, e.path, e.size, why)
}

// lose counts a file of the source that failed.
func (t *tally) lose(e *entry, rest int64, err error) {
	t.mu.Lock()
	t.doneLocked(e, rest)
	t.mu.Unlock()
	t.fail(e.path, e.size, err)
}

// fail notes what went wrong with one path.
func (t *tally) fail(path string, bytes int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Failed++
	t.partial.add(path, err)
	t.tell(Fail, path, bytes, err)
}

// quota is what may still be written; limits of 0 are none.
type quota struct {
	files, bytes int64

	mu                sync.Mutex // guards all below
	usedFiles, usedBy int64
}

// take asks for files and bytes.
func (q *quota) take(files, bytes int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.usedFiles += files
	if q.files > 0 && q.usedFiles > q.files || q.bytes > 0 && bytes > q.bytes-q.usedBy {
		return ErrQuota
	}
	q.usedBy += bytes
	return nil
}
