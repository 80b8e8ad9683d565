package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/blobs"
	"github.com/hypernode/hypernode/node"
)

// Share is a drive of the node's own that is seeded.
type Share struct {
	Key       keys.Key `json:"key"`
	Version   uint64   `json:"version"`
	Addresses []string `json:"addresses"` // of the node, for hints
}

// Entry is one file of a drive.
type Entry struct {
	Path       string          `json:"path"`
	Seq        uint64          `json:"seq"`  // the block that put it
	Size       int64           `json:"size"` // -1 when it is not known without reading the file
	Executable bool            `json:"executable,omitempty"`
	Link       string          `json:"link,omitempty"`
	ModTime    time.Time       `json:"mtime,omitzero"`
	Mount      bool            `json:"mount,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
	Blob       *blobs.ID       `json:"blob,omitempty"`  // where the contents are
	Error      string          `json:"error,omitempty"` // of a listing that broke off here
	Code       string          `json:"code,omitempty"`
}

func entryOf(e *drive.Entry) Entry {
	size, known := e.Size()
	if !known {
		size = -1
	}
	return Entry{
		Path: e.Path, Seq: e.Seq, Size: size, Executable: e.Executable, Link: e.Link, ModTime: e.ModTime(), Mount: e.Mount != nil,
		Metadata: e.Metadata, Blob: e.Blob,
	}
}

// entry is the other way round. What a mount leads to is not told.
func (e *Entry) entry() drive.Entry {
	out := drive.Entry{Path: e.Path, Seq: e.Seq, Executable: e.Executable, Link: e.Link, Metadata: e.Metadata, Blob: e.Blob}
	if e.Mount {
		out.Mount = new(drive.Mount)
	}
	return out
}

func (s *server) share(w http.ResponseWriter, r *http.Request) error {
	d, err := drive.Create(r.Context(), s.n.Store(), drive.Name(r.PathValue("name")))
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Core().Sync(r.Context()); err != nil { // who hears of a version can have it
		return err
	}
	if err := s.n.Seed(r.Context(), d.Key(), node.SeedOptions{Label: r.PathValue("name")}); err != nil {
		return err
	}
	return give(w, Share{d.Key(), d.Version(), s.n.Addresses()})
}

// named makes or opens the node's own drive of a name, without seeding it; with ?create=false it must exist.
func (s *server) named(w http.ResponseWriter, r *http.Request) error {
	ref := drive.Name(r.PathValue("name"))
	ref.MustExist = r.URL.Query().Get("create") == "false"
	open := drive.Create
	if ref.MustExist {
		open = drive.OpenRef
	}
	d, err := open(r.Context(), s.n.Store(), ref)
	if err != nil {
		return err
	}
	defer d.Close()
	return give(w, Share{Key: d.Key(), Version: d.Version()})
}

// version tells what the newest version is that is known here.
func (s *server) version(w http.ResponseWriter, r *http.Request) error {
	return s.withDrive(r, func(_ context.Context, d *drive.Drive) error {
		return give(w, Share{Key: d.Key(), Version: d.Version()})
	})
}

// withDrive opens the drive that a request names, of the node's own or of others, at the version of ?version=, by default the
// newest.
func (s *server) withDrive(r *http.Request, fn func(context.Context, *drive.Drive) error) error {
	k, err := key(r)
	if err != nil {
		return err
	}
	version, err := number(r, "version")
	if err != nil {
		return err
	}
	d, err := s.n.Drive(r.Context(), k)
	if err != nil {
		return err
	}
	defer d.Close()
	at := d.Drive
	if version > 0 {
		at = d.At(version)
	}
	return fn(r.Context(), at)
}

// number reads a number of the query, 0 if there is none.
func number(r *http.Request, name string) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		return 0, invalid("%s=%s is no number", name, text)
	}
	return n, nil
}

// entries lists the files below ?prefix=, or gives the one entry at ?path=.
func (s *server) entries(w http.ResponseWriter, r *http.Request) error {
	return s.withDrive(r, func(ctx context.Context, d *drive.Drive) error {
		q := r.URL.Query()
		if path := q.Get("path"); path != "" {
			return s.entry(ctx, w, d, path, q.Get("follow") == "true")
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		buffered := bufio.NewWriterSize(w, 64<<10)
		out := json.NewEncoder(buffered)
		for e, err := range d.List(ctx, q.Get("prefix"), drive.ListOptions{}) {
			line := entryOf(&e)
			if err != nil {
				e := judge(err)
				line.Error, line.Code = e.Message, e.Code
			}
			if out.Encode(line) != nil {
				return nil // the other side has left
			}
			if err != nil && !errors.Is(err, drive.ErrEntry) {
				break
			}
		}
		_ = buffered.Flush() // the other side has left if it fails
		return nil
	})
}

func (s *server) entry(ctx context.Context, w http.ResponseWriter, d *drive.Drive, path string, follow bool) error {
	find := d.Entry
	if follow {
		find = d.Stat
	}
	e, err := find(ctx, path)
	if err != nil {
		return err
	}
	return give(w, entryOf(&e))
}
