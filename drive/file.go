package drive

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/drive/blobs"
)

// File reads the contents of one file. It is an io.ReadSeekCloser, an io.ReaderAt and an io.WriterTo, as blobs.Reader is; ReadAt may
// be called from several goroutines.
type File struct {
	body
	entry  Entry
	reader *blobs.Reader // nil for an entry without contents
}

// body is what a file reads from.
type body interface {
	io.ReadSeeker
	io.ReaderAt
	io.WriterTo
	Size() int64
}

// Open opens a file to read it; links are followed. Its reads end with ctx. What is missing is fetched as it is read, and more and
// more ahead of reads that follow each other. The file stays as it was when it was opened, whatever is written after. It fails as
// ReadFile does.
func (d *Drive) Open(ctx context.Context, path string) (*File, error) {
	meanwhile := d.prepare(ctx)
	p, e, err := d.follow(ctx, path)
	meanwhile(err == nil)
	if err != nil {
		return nil, pathError("open", path, err)
	}
	f, err := d.OpenEntry(ctx, p.entry(e))
	return f, pathError("open", path, err)
}

// prepare opens the contents, and asks how far they reach, while an entry is looked up: for a drive that is read from peers that
// saves round trips. The function that it returns waits for that, or with false, ends it.
func (d *Drive) prepare(ctx context.Context) (wait func(found bool)) {
	if d.s.blobs.Load() != nil || d.s.db.Head().Length == 0 || !d.sparse() {
		return func(bool) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var ends sync.WaitGroup
	ends.Go(func() {
		// An error is met again by who needs the contents.
		early, err := d.s.derived(ctx)
		if err == nil {
			ends.Go(func() { join(ctx, early); _ = early.Close() })
		}
		if b, err := d.s.content(ctx); err == nil && (early == nil || early.Key() != b.Core().Key()) {
			join(ctx, b.Core())
		}
	})
	return func(found bool) {
		if !found {
			cancel()
		}
		ends.Wait()
		cancel()
	}
}

// join learns from peers how far a core reaches of which nothing is known.
func join(ctx context.Context, c *core.Core) {
	if c.Head().Length == 0 {
		_ = c.Update(ctx)
	}
}

// OpenEntry opens the contents of an entry of the drive, as Entry, List and others return it.
func (d *Drive) OpenEntry(ctx context.Context, e Entry) (*File, error) {
	if err := e.readable(); err != nil {
		return nil, err
	}
	if e.Blob == nil || e.Blob.ByteLength == 0 {
		return &File{entry: e, body: bytes.NewReader(nil)}, d.check()
	}
	b, err := d.blobsOf(ctx, &e)
	if err != nil {
		return nil, err
	}
	r, err := b.Open(ctx, *e.Blob)
	if err != nil {
		return nil, err
	}
	return &File{entry: e, body: r, reader: r}, nil
}

// Entry returns the entry that was opened: where links were followed, the one that they lead to.
func (f *File) Entry() Entry { return f.entry }

// Close ends the file. A second call does nothing.
func (f *File) Close() error {
	if f.reader == nil {
		return nil
	}
	return f.reader.Close()
}

// readAll returns the whole contents.
func (f *File) readAll() ([]byte, error) {
	var b bytes.Buffer
	if n := f.Size(); n < 1<<20 {
		b.Grow(int(n))
	}
	_, err := f.WriteTo(&b)
	return b.Bytes(), err
}
