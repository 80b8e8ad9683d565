package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/node"
)

// readFile gives a file of a drive, or a range of it, as HTTP has it. Blocks that are missing are fetched.
func (s *server) readFile(w http.ResponseWriter, r *http.Request) error {
	return s.withDrive(r, func(ctx context.Context, d *node.Drive) error {
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
	return s.withDrive(r, func(ctx context.Context, d *node.Drive) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		q := r.URL.Query()
		m := drive.Meta{Executable: q.Get("executable") == "true"}
		if ms, err := strconv.ParseInt(q.Get("mtime"), 10, 64); err == nil {
			m.ModTime = time.UnixMilli(ms)
		}
		f, err := d.Create(ctx, rooted(r.PathValue("path")), m)
		if err != nil {
			return err
		}
		n, err := io.Copy(f, r.Body)
		if err != nil {
			cancel() // a file that is not complete is not put
			f.Close()
			return fmt.Errorf("writing the file: %w", err)
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("writing the file: %w", err)
		}
		return give(w, Put{Version: d.Version(), Files: 1, Bytes: n})
	})
}

func (s *server) removeFile(w http.ResponseWriter, r *http.Request) error {
	return s.withDrive(r, func(ctx context.Context, d *node.Drive) error {
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
	return "/v1/drives/" + k.String() + "/files/" + strings.Join(parts, "/")
}

// ReadFile returns a file of a drive from an offset on. The caller closes it. A stream that breaks off ends with an error.
func (c *Client) ReadFile(ctx context.Context, k keys.Key, path string, offset int64) (io.ReadCloser, error) {
	var header http.Header
	if offset > 0 {
		header = http.Header{"Range": {fmt.Sprintf("bytes=%d-", offset)}}
	}
	return c.sendWith(ctx, http.MethodGet, filePath(k, path), nil, header)
}

// FileOptions are what is kept with a file.
type FileOptions struct {
	Executable bool
	ModTime    time.Time // none when it is zero
}

// WriteFile puts a file into a drive of the node's own, whole or not at all.
func (c *Client) WriteFile(ctx context.Context, k keys.Key, path string, in io.Reader, o FileOptions) error {
	q := url.Values{"executable": {strconv.FormatBool(o.Executable)}}
	if !o.ModTime.IsZero() {
		q.Set("mtime", strconv.FormatInt(o.ModTime.UnixMilli(), 10))
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
