package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
)

// readFile gives a file of a drive, or a range of it, as HTTP has it. Blocks that are missing are fetched.
func (s *server) readFile(w http.ResponseWriter, r *http.Request) error {
	return s.withDrive(r, func(ctx context.Context, d *drive.Drive) error {
		path := rooted(r.PathValue("path"))
		f, err := d.Open(ctx, path)
		if err != nil {
			return err
		}
		defer f.Close()
		e, err := d.Stat(ctx, path)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", e.ModTime(), f)
		return nil
	})
}

// writeFile puts the body as a file into a drive of the node's own.
func (s *server) writeFile(w http.ResponseWriter, r *http.Request) error {
	if err := s.room(); err != nil {
		return err
	}
	return s.withDrive(r, func(ctx context.Context, d *drive.Drive) error {
		q := r.URL.Query()
		m := drive.Meta{Executable: q.Get("executable") == "true"}
		if ms, err := strconv.ParseInt(q.Get("mtime"), 10, 64); err == nil {
			m.ModTime = time.UnixMilli(ms)
		}
		if text := q.Get("metadata"); text != "" {
			m.Metadata = json.RawMessage(text)
		}
		f, err := d.Create(ctx, rooted(r.PathValue("path")), m)
		if err != nil {
			return err
		}
		n, err := io.Copy(f, r.Body)
		if err != nil {
			f.Abort() // a file that is not complete is not put
			return fmt.Errorf("writing the file: %w", err)
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("writing the file: %w", err)
		}
		return give(w, Put{Version: d.Version(), Files: 1, Bytes: n})
	})
}

func (s *server) removeFile(w http.ResponseWriter, r *http.Request) error {
	return s.withDrive(r, func(ctx context.Context, d *drive.Drive) error {
		if err := d.Remove(ctx, rooted(r.PathValue("path"))); err != nil {
			return err
		}
		return give(w, Put{Version: d.Version(), Removed: 1})
	})
}

// filePath is the address of a file of a drive.
func filePath(k keys.Key, path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return drivePath(k) + "/files/" + strings.Join(parts, "/")
}

// ReadFile returns a file of a drive from an offset on; version 0 is the newest. Links are followed. The caller closes it. A stream
// that breaks off ends with an error.
func (c *Client) ReadFile(ctx context.Context, k keys.Key, version uint64, path string, offset int64) (io.ReadCloser, error) {
	var header http.Header
	if offset > 0 {
		header = http.Header{"Range": {fmt.Sprintf("bytes=%d-", offset)}}
	}
	return c.sendWith(ctx, http.MethodGet, filePath(k, path)+"?"+query(version).Encode(), nil, header)
}

// FileOptions are what is kept with a file.
type FileOptions struct {
	Executable bool
	ModTime    time.Time // none when it is zero
	Metadata   json.RawMessage
}

// WriteFile puts a file into a drive of the node's own, whole or not at all.
func (c *Client) WriteFile(ctx context.Context, k keys.Key, path string, in io.Reader, o FileOptions) error {
	q := url.Values{"executable": {strconv.FormatBool(o.Executable)}}
	if !o.ModTime.IsZero() {
		q.Set("mtime", strconv.FormatInt(o.ModTime.UnixMilli(), 10))
	}
	if len(o.Metadata) > 0 {
		q.Set("metadata", string(o.Metadata))
	}
	body, err := c.send(ctx, http.MethodPut, filePath(k, path)+"?"+q.Encode(), in)
	if err != nil {
		return err
	}
	return body.Close()
}

// RemoveFile removes a file from a drive of the node's own.
func (c *Client) RemoveFile(ctx context.Context, k keys.Key, path string) error {
	return c.do(ctx, http.MethodDelete, filePath(k, path), nil, nil)
}
