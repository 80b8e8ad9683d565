package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
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
	Size       int64           `json:"size"` // -1 when it is not known without reading the file
	Executable bool            `json:"executable,omitempty"`
	Link       string          `json:"link,omitempty"`
	ModTime    time.Time       `json:"mtime,omitzero"`
	Mount      bool            `json:"mount,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
	Error      string          `json:"error,omitempty"` // of a listing that broke off here
}

func entryOf(e *drive.Entry) Entry {
	size, known := e.Size()
	if !known {
		size = -1
	}
	return Entry{
		Path: e.Path, Size: size, Executable: e.Executable, Link: e.Link, ModTime: e.ModTime(), Mount: e.Mount != nil,
		Metadata: e.Metadata,
	}
}

func (s *server) share(w http.ResponseWriter, r *http.Request) error {
	d, err := drive.Create(r.Context(), s.n.Store(), drive.Name(r.PathValue("name")))
	if err != nil {
		return err
	}
	defer d.Close()
	if err := s.n.Seed(r.Context(), d.Key(), node.SeedOptions{Label: r.PathValue("name")}); err != nil {
		return err
	}
	return give(w, Share{d.Key(), d.Version(), s.n.Addresses()})
}

// withDrive opens the drive that a request names, of the node's own or of others.
func (s *server) withDrive(r *http.Request, fn func(context.Context, *node.Drive) error) error {
	k, err := key(r)
	if err != nil {
		return err
	}
	d, err := s.n.Drive(r.Context(), k)
	if err != nil {
		return err
	}
	defer d.Close()
	return fn(r.Context(), d)
}

func (s *server) entries(w http.ResponseWriter, r *http.Request) error {
	return s.withDrive(r, func(ctx context.Context, d *node.Drive) error {
		w.Header().Set("Content-Type", "application/x-ndjson")
		out := json.NewEncoder(w)
		for e, err := range d.List(ctx, r.URL.Query().Get("prefix"), drive.ListOptions{}) {
			line := entryOf(&e)
			if err != nil {
				line.Error = err.Error()
			}
			if out.Encode(line) != nil {
				return nil // the other side has left
			}
		}
		return nil
	})
}
