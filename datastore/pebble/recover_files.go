package pebble

import (
	"errors"
	"fmt"
	"io"
)

// recoveredFile is a journal file as it was found.
type recoveredFile struct {
	fileHeader
	ok     bool // the header is whole
	size   int
	frames []frame
}

// readFiles reads all journal files, and finds up to where the commits had been synced.
func (r *recovery) readFiles() error {
	ns, err := numbers(r.e.fs, r.e.journal.dir)
	if err != nil {
		return fmt.Errorf("listing the journal: %w", err)
	}
	for _, n := range ns {
		f, err := r.readFile(n)
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		r.files = append(r.files, f)
	}
	r.void()
	return r.judge()
}

func (r *recovery) readFile(n uint32) (recoveredFile, error) {
	f, err := r.e.fs.Open(r.e.fs.PathJoin(r.e.journal.dir, fileName(n)))
	if err != nil {
		return recoveredFile{}, err
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return recoveredFile{}, err
	}
	j := recoveredFile{size: len(b)}
	j.fileHeader, j.ok = parseHeader(b)
	j.ok = j.ok && j.number == n
	j.number = n
	if !j.ok {
		return j, nil
	}
	for b = b[journalHeader:]; ; {
		f, end, ok := nextFrame(b, j.salt)
		if !ok {
			return j, nil
		}
		j.frames = append(j.frames, f)
		b = b[end:]
	}
}

// void drops the frames that a later file's base says were cut off by an earlier recovery.
func (r *recovery) void() {
	limit := ^uint64(0)
	for i := len(r.files) - 1; i >= 0; i-- {
		f := &r.files[i]
		for n := len(f.frames); n > 0 && f.frames[n-1].seq >= limit; n-- {
			f.frames = f.frames[:n-1]
		}
		if f.ok && f.base >= limit {
			f.frames, f.base = nil, limit
		}
		if f.ok {
			limit = f.base
		}
	}
}

// judge finds up to where all commits must be there. What was removed of the journal had been flushed, and what is
// marked as synced cannot be torn: when such commits lack, the store is damaged.
func (r *recovery) judge() error {
	broken, first := false, true
	for _, f := range r.files {
		if !f.ok {
			// A file gets its first frame after its header is on stable storage.
			broken = broken || f.size > journalHeader
			continue
		}
		if broken || first {
			r.synced = max(r.synced, f.base-1)
		}
		broken, first = false, false
		r.synced = max(r.synced, f.fileHeader.synced)
		for _, fr := range f.frames {
			r.synced = max(r.synced, fr.synced)
		}
	}
	if broken {
		return corrupt("the header of a journal file")
	}
	return nil
}
