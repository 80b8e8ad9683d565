package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/hypernode/hypernode/drive"
)

func (f *driveFiles) grouped() bool { return true }

func (f *driveFiles) check(e entry) error {
	if err := checkPath(e.path); err != nil {
		return err
	}
	// What the drive would take for another path is not put under that.
	if p, err := drive.Clean(f.path(e.path)); err != nil || p != f.path(e.path) {
		return fmt.Errorf("%w: not a path of a drive", ErrName)
	}
	if len(e.link) > drive.MaxPath {
		return fmt.Errorf("%w: %d bytes", ErrLink, len(e.link))
	}
	if len(e.metadata) > drive.MaxEntry/2 {
		return fmt.Errorf("%w: metadata of %d bytes", ErrSize, len(e.metadata))
	}
	return nil
}

// compare holds an entry of the drive against one that is wanted.
func (f *driveFiles) compare(want, have entry) (verdict, bool) {
	metadata := f.metadata(want, &have)
	same := sameMetadata(metadata, have.metadata) || sameMetadata(canonical(metadata), have.metadata)
	if want.isLink() || have.isLink() {
		if want.link == have.link {
			return equal, same
		}
		return unequal, same
	}
	same = same && want.executable == have.executable
	switch {
	case want.size >= 0 && have.size >= 0 && want.size != have.size:
		return unequal, same
	case want.size == 0 && have.size == 0, sameTime(want.time, have.time):
		return equal, same
	default:
		return unknown, same
	}
}

// metadata is what is put with an entry. A folder has no say in it, unless times are kept: then what is there stays while the
// contents do.
func (f *driveFiles) metadata(want entry, have *entry) json.RawMessage {
	switch {
	case want.at != nil:
		return want.metadata
	case want.isLink() || !f.options.Times:
		if have != nil {
			return have.metadata
		}
		return nil
	}
	b := strconv.AppendInt([]byte(`{"mtime":`), want.time.UnixMilli(), 10)
	b = strconv.AppendUint(append(b, `,"mode":`...), uint64(want.mode.Perm()), 10)
	return append(b, '}')
}

func (f *driveFiles) meta(w *write) drive.Meta {
	have := w.have
	if !w.keep {
		have = nil
	}
	return drive.Meta{Executable: w.want.executable, Metadata: f.metadata(w.want, have)}
}

// apply makes writes in one commit.
func (f *driveFiles) apply(ctx context.Context, writes []write) error {
	return f.drive.Update(ctx, func(tx *drive.Batch) error {
		for i := range writes {
			if err := f.put(tx, &writes[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *driveFiles) put(tx *drive.Batch, w *write) error {
	path, m := f.path(w.want.path), f.meta(w)
	switch {
	case w.want.isLink():
		return tx.Symlink(path, w.want.link, m)
	case w.keep:
		return tx.SetEntry(path, drive.Entry{Executable: m.Executable, Metadata: m.Metadata, Blob: w.have.at.Blob})
	default:
		return tx.WriteFile(path, w.data, m)
	}
}

func (f *driveFiles) stream(ctx context.Context, w write, r io.Reader, check func() error) error {
	out, err := f.drive.Create(ctx, f.path(w.want.path), f.meta(&w))
	if err != nil {
		return fatal(err)
	}
	in := &reading{r: r}
	_, err = out.ReadFrom(in)
	if err == nil {
		err = check()
	}
	if err != nil {
		out.Abort()
		if in.err == nil && !errors.Is(err, ErrChanging) && !errors.Is(err, ErrSize) {
			return fatal(err)
		}
		return err
	}
	return fatal(out.Close())
}

// reading remembers why reading failed, to tell it from a failure of the drive.
type reading struct {
	r   io.Reader
	err error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// remove removes files in one commit.
func (f *driveFiles) remove(ctx context.Context, es []entry, _ func(entry, error)) error {
	return f.drive.Update(ctx, func(tx *drive.Batch) error {
		for _, e := range es {
			if err := tx.Remove(f.path(e.path)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *driveFiles) finish(context.Context, bool) error { return nil }
