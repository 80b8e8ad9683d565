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

	"github.com/hypernode/hypernode/core/keys"
)

// Entries lists a drive of the node's own, or one that it copies; of the latter only what peers have told up to now. After an
// error it ends.
func (c *Client) Entries(ctx context.Context, k keys.Key, prefix string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		body, err := c.send(ctx, http.MethodGet, "/v1/drives/"+k.String()+"/entries?prefix="+url.QueryEscape(prefix), nil)
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
				err = &Error{http.StatusInternalServerError, e.Error, CodeFailed}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// ReadTree returns the files of a drive as a tar. The caller closes it. A stream that ends early ends with an error.
func (c *Client) ReadTree(ctx context.Context, k keys.Key, prefix string) (io.ReadCloser, error) {
	return c.send(ctx, http.MethodGet, "/v1/drives/"+k.String()+"/tree?prefix="+url.QueryEscape(prefix), nil)
}
