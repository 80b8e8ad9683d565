package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/node"
)

// Client gives orders to a node. Its methods may be called from several goroutines. They fail with ErrNotRunning when no node
// answers, with an *Error when it answers no.
type Client struct {
	path  string // of the socket, or the address
	host  string // that is asked for
	token string // "" for none
	http  *http.Client
}

// Dial returns a client of the node at a socket, if one answers there.
func Dial(ctx context.Context, path string) (*Client, error) {
	return dial(ctx, "unix", path, "node", "")
}

// DialTCP returns a client of the node that listens at HOST:PORT for control by TCP, with a token of it, if somebody answers there.
// Neither the token nor anything else is encrypted on the way. What the token does not allow fails with CodeRefused.
func DialTCP(ctx context.Context, address, token string) (*Client, error) {
	return dial(ctx, "tcp", address, address, token)
}

func dial(ctx context.Context, network, at, host, token string) (*Client, error) {
	connect := func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, at)
	}
	conn, err := connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", ErrNotRunning, at, err)
	}
	conn.Close()
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx) }}
	return &Client{path: at, host: host, token: token, http: &http.Client{Transport: t}}, nil
}

// request begins a request.
func (c *Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.host+path, body)
	if err == nil && c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r, err
}

// Close gives up idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// do makes a request with a JSON body, and reads a JSON answer.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	answer, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, answer)
		return err
	}
	if err := json.NewDecoder(answer).Decode(out); err != nil {
		return fmt.Errorf("reading the node's answer: %w", err)
	}
	return nil
}

// send makes a request and returns the body of a good answer.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader) (io.ReadCloser, error) {
	return c.sendWith(ctx, method, path, body, nil)
}

func (c *Client) sendWith(ctx context.Context, method, path string, body io.Reader, header http.Header) (io.ReadCloser, error) {
	r, err := c.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	maps.Copy(r.Header, header)
	answer, err := c.http.Do(r)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return nil, fmt.Errorf("%w at %s: %w", ErrNotRunning, c.path, op)
		}
		return nil, fmt.Errorf("asking the node: %w", err)
	}
	if answer.StatusCode/100 == 2 {
		return answer.Body, nil
	}
	return nil, refusal(answer)
}

// Status returns what the node is doing.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.do(ctx, http.MethodGet, "/v1/status", nil, &s)
}

// Peers lists the peers with whom something is exchanged.
func (c *Client) Peers(ctx context.Context) (list []node.Peer, err error) {
	return list, c.do(ctx, http.MethodGet, "/v1/peers", nil, &list)
}

// Seeds lists the seeds.
func (c *Client) Seeds(ctx context.Context) (list []node.Seed, err error) {
	return list, c.do(ctx, http.MethodGet, "/v1/seeds", nil, &list)
}

// Seed has the node keep a copy.
func (c *Client) Seed(ctx context.Context, k keys.Key, o node.SeedOptions) error {
	return c.do(ctx, http.MethodPut, "/v1/seeds/"+k.String(), o, nil)
}

// Unseed has the node keep a copy no longer.
func (c *Client) Unseed(ctx context.Context, k keys.Key) error {
	return c.do(ctx, http.MethodDelete, "/v1/seeds/"+k.String(), nil, nil)
}

// Hint tells the node of peers that may have a core.
func (c *Client) Hint(ctx context.Context, k keys.Key, peers ...peer.AddrInfo) error {
	return c.do(ctx, http.MethodPost, "/v1/hints/"+k.String(), peerHints(peers), nil)
}

// Metrics returns the figures of the node as Prometheus reads them. The caller closes it.
func (c *Client) Metrics(ctx context.Context) (io.ReadCloser, error) {
	return c.send(ctx, http.MethodGet, "/metrics", nil)
}

// Stop ends the node. It returns when the node has heard it.
func (c *Client) Stop(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/v1/stop", nil, nil)
}

// Named returns the key of the node's own drive of a name. Unless create is set it must exist.
func (c *Client) Named(ctx context.Context, name string, create bool) (keys.Key, error) {
	var s Share
	err := c.do(ctx, http.MethodPost, "/v1/names/"+url.PathEscape(name)+"?create="+strconv.FormatBool(create), nil, &s)
	return s.Key, err
}

// Version returns the newest version of a drive that is known to the node.
func (c *Client) Version(ctx context.Context, k keys.Key) (uint64, error) {
	var s Share
	err := c.do(ctx, http.MethodGet, drivePath(k), nil, &s)
	return s.Version, err
}

// Share makes or opens the node's own drive of a name, and has it seeded.
func (c *Client) Share(ctx context.Context, name string) (s Share, err error) {
	return s, c.do(ctx, http.MethodPost, "/v1/drives/"+url.PathEscape(name), nil, &s)
}
