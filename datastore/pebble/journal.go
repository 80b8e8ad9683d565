package pebble

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/internal/durable"
)

// journal is the row of journal files. The one that is written belongs to the committer.
type journal struct {
	fs  vfs.FS
	dir string

	current *journalFile
	number  uint32 // the highest that was used
	buffer  []byte

	mu      sync.Mutex     // guards retired
	retired []*journalFile // not written any more, to be removed once Pebble has what they hold
}

// journalFile is a journal file that is open for writing.
type journalFile struct {
	fileHeader
	name  string
	file  vfs.File
	size  int64
	begun int64  // up to where the kernel was told to begin to write
	last  uint64 // seq of the last frame, or base-1
}

func fileName(number uint32) string { return fmt.Sprintf("%06d", number) }

// parseName reads a name that fileName made.
func parseName(name string) (uint32, bool) {
	n, err := strconv.ParseUint(name, 10, 32)
	return uint32(n), err == nil && n > 0 && fileName(uint32(n)) == name
}

// numbers returns the numbers of the files in dir, ascending.
func numbers(fsys vfs.FS, dir string) ([]uint32, error) {
	names, err := fsys.List(dir)
	if err != nil {
		return nil, err
	}
	var ns []uint32
	for _, name := range names {
		if n, ok := parseName(name); ok {
			ns = append(ns, n)
		}
	}
	slices.Sort(ns)
	return ns, nil
}

// create makes a new journal file. Once it returns, the file is on stable storage with its header.
//
// A file that could not be made must not come back after a crash, for it would void frames that are written after it to
// the file before: when that cannot be made sure of, the error is no datastore.ErrNoSpace even on a full disk.
func (j *journal) create(base, synced uint64) (*journalFile, error) {
	number := j.number + 1
	var salt [8]byte
	_, _ = rand.Read(salt[:]) // never fails
	f := &journalFile{
		fileHeader: fileHeader{number: number, salt: binary.LittleEndian.Uint64(salt[:]), base: base, synced: synced},
		name:       j.fs.PathJoin(j.dir, fileName(number)),
		size:       journalHeader,
		last:       base - 1,
	}
	var err error
	if f.file, err = j.fs.Create(f.name, vfs.WriteCategoryUnspecified); err != nil {
		return nil, err
	}
	_, err = f.file.WriteAt(appendHeader(nil, f.fileHeader), 0)
	if err == nil {
		err = f.file.Sync()
	}
	if err == nil {
		err = durable.SyncDir(j.fs, j.dir)
	}
	if err != nil {
		if undoing := errors.Join(f.file.Close(), durable.Remove(j.fs, f.name), durable.SyncDir(j.fs, j.dir)); undoing != nil {
			err = undoError(err, undoing)
		}
		return nil, err
	}
	j.number = number
	return f, nil
}

// reopen opens a file that holds nothing but its header, to be written on.
func (j *journal) reopen(h fileHeader) (*journalFile, error) {
	name := j.fs.PathJoin(j.dir, fileName(h.number))
	file, err := j.fs.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	j.number = h.number
	return &journalFile{fileHeader: h, name: name, file: file, size: journalHeader, last: h.base - 1}, nil
}

// write appends a frame with one write(2). After an error the file ends where it ended before.
func (j *journal) write(f frame) error {
	c := j.current
	j.buffer = appendFrame(j.buffer[:0], c.salt, f)
	if _, err := c.file.WriteAt(j.buffer, c.size); err != nil {
		return undo(err, c.file, c.size)
	}
	c.size += int64(len(j.buffer))
	c.last = f.seq
	if cap(j.buffer) > maxBuffer {
		j.buffer = nil
	}
	return nil
}

// begin has the kernel begin to write what it was given, ahead of the sync that follows: the disk works while the commit is
// made visible. It waits for nothing and promises nothing. What fails here may not be found again by the sync.
func (j *journal) begin() error {
	c := j.current
	from := c.begun
	c.begun = c.size
	err := beginWriting(c.file.Fd(), from, c.size-from)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

// replace makes f the current file and retires the one before.
func (j *journal) replace(f *journalFile) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.current != nil {
		j.retired = append(j.retired, j.current)
	}
	j.current = f
}

// obsolete takes the retired files whose frames all have a seq up to seq.
func (j *journal) obsolete(seq uint64) (files []*journalFile) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.retired = slices.DeleteFunc(j.retired, func(f *journalFile) bool {
		if f.last <= seq {
			files = append(files, f)
		}
		return f.last <= seq
	})
	return files
}

// undo cuts a file back to end after a write that failed with err, and returns the error that decides what becomes of
// the engine.
func undo(err error, f vfs.File, end int64) error {
	if cutting := cut(f, end); cutting != nil {
		return undoError(err, cutting)
	}
	return err
}

// undoError is the error of a write that failed and left something behind. It must not pass for a mere lack of space.
func undoError(err, undoing error) error {
	if isNoSpace(err) || isNoSpace(undoing) {
		return fmt.Errorf("%w: %v, %v", errUndo, err, undoing)
	}
	return fmt.Errorf("%w: %w, %w", errUndo, err, undoing)
}

// cut gives back what a write that failed left behind end. Where a file cannot be cut the rest is harmless: it is no
// whole frame, no block points to it, and the next write goes over it.
func cut(f vfs.File, end int64) error {
	if t, ok := f.(interface{ Truncate(int64) error }); ok {
		return t.Truncate(end)
	}
	return nil
}
