package api

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/hypernode/hypernode/drive"
)

// The PAX records of files in a tar that is put into a drive.
const (
	RemoveRecord   = "HYPERNODE.remove"   // "1": the file is to be removed
	KeepRecord     = "HYPERNODE.keep"     // "1": the contents stay as they are, the rest is put
	MetadataRecord = "HYPERNODE.metadata" // JSON: the metadata, in the place of the time
)

const (
	smallFile  = 1 << 20  // files up to this size are gathered, larger ones written one by one
	groupBytes = 16 << 20 // so much is gathered for one commit
	groupFiles = 4096
)

// Put is what a tree has changed.
type Put struct {
	Version uint64 `json:"version"` // of the drive
	Files   int    `json:"files"`
	Removed int    `json:"removed"`
	Bytes   int64  `json:"bytes"`
}

// writeTree puts the files of a tar into a drive of the node's own.
func (s *server) writeTree(w http.ResponseWriter, r *http.Request) error {
	if err := s.room(); err != nil {
		return err
	}
	return s.withDrive(r, func(ctx context.Context, d *drive.Drive) error {
		t := &treeWriter{drive: d}
		err := t.copy(ctx, tar.NewReader(r.Body))
		if err != nil {
			return fmt.Errorf("writing the drive, %d files are in it: %w", t.put.Files, err)
		}
		t.put.Version = d.Version()
		return give(w, t.put)
	})
}

// room refuses to write when the store uses all that it may.
func (s *server) room() error {
	if s.n.Full() {
		return &Error{http.StatusInsufficientStorage, "the store uses all of the disk that limits.store allows", CodeQuota}
	}
	return nil
}

// treeWriter writes files in groups, each in one commit.
type treeWriter struct {
	drive *drive.Drive
	put   Put
	group []change
	bytes int
}

// change is a file that waits for its commit.
type change struct {
	head *tar.Header
	data []byte
}

func (t *treeWriter) copy(ctx context.Context, in *tar.Reader) error {
	for {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return t.commit(ctx)
		}
		if err != nil {
			return invalid("the tar cannot be read: %s", err)
		}
		if err := t.add(ctx, head, in); err != nil {
			return err
		}
	}
}

func (t *treeWriter) add(ctx context.Context, head *tar.Header, in io.Reader) error {
	switch {
	case head.Typeflag == tar.TypeDir:
		return nil
	case head.Typeflag != tar.TypeReg && head.Typeflag != tar.TypeSymlink:
		return invalid("%q is neither a file nor a symbolic link", head.Name)
	case head.Size > smallFile:
		return t.large(ctx, head, in)
	}
	data := make([]byte, head.Size)
	if _, err := io.ReadFull(in, data); err != nil {
		return invalid("the tar ends within %q", head.Name)
	}
	t.group = append(t.group, change{head, data})
	if t.bytes += len(data); t.bytes >= groupBytes || len(t.group) >= groupFiles {
		return t.commit(ctx)
	}
	return nil
}

// commit writes what was gathered.
func (t *treeWriter) commit(ctx context.Context) error {
	if len(t.group) == 0 {
		return nil
	}
	err := t.drive.Update(ctx, func(tx *drive.Batch) error {
		for _, c := range t.group {
			if err := c.apply(tx); err != nil {
				return fmt.Errorf("%s: %w", c.head.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range t.group {
		if c.removes() {
			t.put.Removed++
			continue
		}
		t.put.Files++
		t.put.Bytes += int64(len(c.data))
	}
	t.group, t.bytes = t.group[:0], 0
	return nil
}

func (c change) removes() bool { return c.head.PAXRecords[RemoveRecord] == "1" }

func (c change) apply(tx *drive.Batch) error {
	path := rooted(c.head.Name)
	switch {
	case c.removes():
		return tx.Remove(path)
	case c.head.Typeflag == tar.TypeSymlink:
		return tx.Symlink(path, c.head.Linkname, drive.Meta{Metadata: metaOf(c.head).Metadata})
	case c.head.PAXRecords[KeepRecord] == "1":
		e, err := tx.Entry(path)
		if err != nil {
			return err
		}
		m := metaOf(c.head)
		e.Executable, e.Metadata = m.Executable, m.Metadata
		return tx.SetEntry(path, e)
	}
	return tx.WriteFile(path, c.data, metaOf(c.head))
}

// large writes a file that is too large to be gathered.
func (t *treeWriter) large(ctx context.Context, head *tar.Header, in io.Reader) error {
	if err := t.commit(ctx); err != nil {
		return err
	}
	f, err := t.drive.Create(ctx, rooted(head.Name), metaOf(head))
	if err != nil {
		return err
	}
	n, err := io.Copy(f, in)
	if err == nil && n != head.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		f.Abort() // a file that is not complete is not put
		return fmt.Errorf("%s: %w", head.Name, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("%s: %w", head.Name, err)
	}
	t.put.Files++
	t.put.Bytes += n
	return nil
}

func rooted(name string) string { return "/" + strings.TrimPrefix(name, "/") }

func metaOf(head *tar.Header) drive.Meta {
	if text, ok := head.PAXRecords[MetadataRecord]; ok {
		return drive.Meta{Executable: head.Mode&0o111 != 0, Metadata: json.RawMessage(text)}
	}
	return drive.Meta{Executable: head.Mode&0o111 != 0, ModTime: head.ModTime}
}

// readTree gives the files of a drive as a tar. A fault in its midst breaks the connection off.
func (s *server) readTree(w http.ResponseWriter, r *http.Request) error {
	return s.withDrive(r, func(ctx context.Context, d *drive.Drive) error {
		w.Header().Set("Content-Type", "application/x-tar")
		out := tar.NewWriter(w)
		for e, err := range d.List(ctx, r.URL.Query().Get("prefix"), drive.ListOptions{}) {
			if err == nil {
				err = writeEntry(ctx, out, d, &e)
			}
			if err != nil {
				panic(http.ErrAbortHandler) // the way to break a response off
			}
		}
		return out.Close()
	})
}

func writeEntry(ctx context.Context, out *tar.Writer, d *drive.Drive, e *drive.Entry) error {
	head := &tar.Header{
		Name: strings.TrimPrefix(e.Path, "/"), Mode: int64(e.Mode().Perm()), ModTime: e.ModTime(), Typeflag: tar.TypeReg,
		Format: tar.FormatPAX,
	}
	switch {
	case e.Mount != nil:
		return nil
	case e.IsLink():
		head.Typeflag, head.Linkname = tar.TypeSymlink, e.Link
		return out.WriteHeader(head)
	}
	size, err := d.Size(ctx, *e)
	if err != nil {
		return err
	}
	head.Size = size
	if err := out.WriteHeader(head); err != nil || e.Blob == nil {
		return err
	}
	f, err := d.OpenEntry(ctx, *e)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(out, f)
	return err
}

// WriteTree puts the files of a tar, as archive/tar writes it, into a drive of the node's own. Files that carry RemoveRecord are
// removed. Each file is in the drive whole or not at all; when it fails, those before may be.
func (c *Client) WriteTree(ctx context.Context, s Share, in io.Reader) (p Put, err error) {
	answer, err := c.send(ctx, http.MethodPut, "/v1/drives/"+s.Key.String()+"/tree", in)
	if err != nil {
		return p, err
	}
	defer answer.Close()
	if err := json.NewDecoder(answer).Decode(&p); err != nil {
		return p, fmt.Errorf("reading the node's answer: %w", err)
	}
	return p, nil
}
