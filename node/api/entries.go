package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hypernode/hypernode/core/keys"
)

// Entries lists a drive of the node's own, or one that it copies; of the latter only what peers have told up to now. version 0 is
// the newest. After an error it ends.
func (c *Client) Entries(ctx context.Context, k keys.Key, version uint64, prefix string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		q := query(version)
		q.Set("prefix", prefix)
		body, err := c.send(ctx, http.MethodGet, drivePath(k)+"/entries?"+q.Encode(), nil)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer body.Close()
		in := json.NewDecoder(body)
		for {
			var e Entry
			err := in.Decode(&e)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				err = fmt.Errorf("reading the node's answer: %w", err)
			} else if e.Error != "" {
				err = &Error{http.StatusInternalServerError, e.Error, e.Code}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Entry returns the entry at a path; links are followed if it is asked for.
func (c *Client) Entry(ctx context.Context, k keys.Key, version uint64, path string, follow bool) (e Entry, err error) {
	q := query(version)
	q.Set("path", path)
	if follow {
		q.Set("follow", "true")
	}
	return e, c.do(ctx, http.MethodGet, drivePath(k)+"/entries?"+q.Encode(), nil, &e)
}

// ReadTree returns the files of a drive as a tar. The caller closes it. A stream that ends early ends with an error.
func (c *Client) ReadTree(ctx context.Context, k keys.Key, prefix string) (io.ReadCloser, error) {
	return c.send(ctx, http.MethodGet, drivePath(k)+"/tree?prefix="+url.QueryEscape(prefix), nil)
}

func drivePath(k keys.Key) string { return "/v1/drives/" + k.String() }

// query begins the query of a request for a version.
func query(version uint64) url.Values {
	q := url.Values{}
	if version > 0 {
		q.Set("version", strconv.FormatUint(version, 10))
	}
	return q
}
