package api

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"sync"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
)

// Files is a drive of the node as a mirror takes it, see [mirror.Kept].
type Files struct {
	client *Client
	key    keys.Key
	// changed returns once there is a version other than the given one.
	changed func(ctx context.Context, version uint64) (uint64, error)

	mu      sync.Mutex
	version uint64
}

// Files returns the files of a drive at a version; 0 is the newest at each moment, as it must be for a drive that is written.
func (c *Client) Files(k keys.Key, version uint64) *Files {
	return &Files{client: c, key: k, version: version}
}

var _ mirror.Keeper = (*Files)(nil)

// String names the drive by its key.
func (f *Files) String() string { return "hyper://" + f.key.String() }

// Version is the one that is read.
func (f *Files) Version() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.version
}

// List implements mirror.Keeper.
func (f *Files) List(ctx context.Context, folder string) iter.Seq2[drive.Entry, error] {
	return func(yield func(drive.Entry, error) bool) {
		for e, err := range f.client.Entries(ctx, f.key, f.Version(), folder) {
			if !yield(e.entry(), err) {
				return
			}
		}
	}
}

// Entry implements mirror.Keeper.
func (f *Files) Entry(ctx context.Context, path string) (drive.Entry, error) {
	return f.entry(ctx, path, false)
}

// Stat is Entry, but follows links.
func (f *Files) Stat(ctx context.Context, path string) (drive.Entry, error) {
	return f.entry(ctx, path, true)
}

func (f *Files) entry(ctx context.Context, path string, follow bool) (drive.Entry, error) {
	e, err := f.client.Entry(ctx, f.key, f.Version(), path, follow)
	var answer *Error
	if errors.As(err, &answer) && answer.Code == CodeNotFound {
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return e.entry(), err
}

// Open implements mirror.Keeper.
func (f *Files) Open(ctx context.Context, e drive.Entry) (io.ReadCloser, error) {
	if e.Blob == nil {
		return io.NopCloser(strings.NewReader("")), nil
	}
	return f.client.ReadFile(ctx, f.key, f.Version(), e.Path, 0)
}

// Apply implements mirror.Keeper.
func (f *Files) Apply(ctx context.Context, changes []mirror.KeeperChange) error {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(pack(w, changes))
	}()
	_, err := f.client.WriteTree(ctx, Share{Key: f.key}, r)
	r.CloseWithError(context.Canceled) // of what was not asked for any more
	<-done
	return err
}

// pack writes changes as a tar.
func pack(w io.Writer, changes []mirror.KeeperChange) error {
	out := tar.NewWriter(w)
	for i := range changes {
		c := &changes[i]
		if err := out.WriteHeader(header(c)); err != nil {
			return fmt.Errorf("%s: %w", c.Path, err)
		}
		if _, err := out.Write(c.Data); err != nil {
			return err
		}
	}
	return out.Close()
}

func header(c *mirror.KeeperChange) *tar.Header {
	h := &tar.Header{
		Name: strings.TrimPrefix(c.Path, "/"), Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(c.Data)), Format: tar.FormatPAX,
		ModTime: c.Meta.ModTime, PAXRecords: map[string]string{},
	}
	if c.Meta.Executable {
		h.Mode = 0o755
	}
	if len(c.Meta.Metadata) > 0 {
		h.PAXRecords[MetadataRecord] = string(c.Meta.Metadata)
	}
	switch {
	case c.Remove:
		h.PAXRecords[RemoveRecord] = "1"
	case c.Link != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, c.Link
	case c.Keep:
		h.PAXRecords[KeepRecord] = "1"
	}
	return h
}

// Write implements mirror.Keeper.
func (f *Files) Write(ctx context.Context, path string, m drive.Meta, r io.Reader) error {
	return f.client.WriteFile(ctx, f.key, path, r, FileOptions{Executable: m.Executable, ModTime: m.ModTime, Metadata: m.Metadata})
}

// Wait implements mirror.Keeper: it returns when there is a newer version, which is read from then on.
func (f *Files) Wait(ctx context.Context) error {
	if f.changed == nil {
		return fmt.Errorf("waiting for a change of %s: %w", f, errors.ErrUnsupported)
	}
	v, err := f.changed(ctx, f.Version())
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version = v
	return nil
}
