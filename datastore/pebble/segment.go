package pebble

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// maxBuffer is the largest buffer that is kept from one commit to the next, in bytes.
const maxBuffer = 4 << 20

// segmentFile is a segment that is open for writing. It belongs to the committer; syncs run beside.
type segmentFile struct {
	number uint32
	file   vfs.File
}

func (e *Engine) segmentPath(number uint32) string {
	return e.fs.PathJoin(e.dir, segmentsDir, fileName(number))
}

// createSegment makes the file of a new segment, in place of one that a crash may have left.
func (e *Engine) createSegment(number uint32) (*segmentFile, error) {
	file, err := e.fs.Create(e.segmentPath(number), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	f := &segmentFile{number: number, file: file}
	e.dirty.created(f)
	return f, nil
}

// openSegment opens the active segment after a reopen of the store. What lies behind end is of commits that a crash
// undid.
func (e *Engine) openSegment(number, end uint32) (*segmentFile, error) {
	file, err := e.fs.OpenReadWrite(e.segmentPath(number), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size() > int64(end) {
		err = cut(file, int64(end))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &segmentFile{number: number, file: file}, nil
}
