package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/swarm"
)

// Fetch says what the node is to fetch.
type Fetch struct {
	Version uint64   `json:"version,omitempty"` // 0 is the newest, and those that follow
	Path    string   `json:"path,omitempty"`    // a file or folder; "" is all
	Peers   []string `json:"peers,omitempty"`   // multiaddrs of peers that may have it, tried first
}

// Fetching is how far a fetch is.
type Fetching struct {
	Version     uint64         `json:"version"` // that is known; 0 before one is
	Bytes       uint64         `json:"bytes"`   // of blocks that came from peers
	Peers       int            `json:"peers"`   // that have the drive
	Held        bool           `json:"held"`    // all that was asked for is here, at Version
	Profile     string         `json:"profile"` // this and what follows says where is looked, until a version is known
	Connections int            `json:"connections"`
	Networks    []node.Network `json:"networks"`
	Error       string         `json:"error,omitempty"` // why it ended
	Code        string         `json:"code,omitempty"`
}

const (
	fetchEvery = 20 * time.Millisecond // a state that has changed is told after so long
	fetchBeat  = time.Second           // one that has not
)

// fetch fetches a drive, and tells how far it is, until the request ends.
func (s *server) fetch(w http.ResponseWriter, r *http.Request) error {
	k, err := key(r)
	if err != nil {
		return err
	}
	var o Fetch
	if err := take(r, &o); err != nil {
		return err
	}
	peers, err := swarm.Peers("peers", o.Peers)
	if err != nil {
		return invalid("%s", err)
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	f := &fetching{n: s.n, key: k, order: o, topics: []keys.DiscoveryKey{k.Discovery()}}
	f.base = f.sum()
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() { f.end(f.run(ctx, peers)) })
	f.tell(ctx, w)
	return nil
}

// fetching is one fetch.
type fetching struct {
	n     *node.Node
	key   keys.Key
	order Fetch
	base  uint64 // what had come before

	mu     sync.Mutex // guards what follows
	now    Fetching
	topics []keys.DiscoveryKey
	ended  bool
}

func (f *fetching) set(change func(*Fetching)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.now)
}

// end notes why the work ended. That the request ended is no reason.
func (f *fetching) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	if err != nil {
		e := judge(err)
		f.now.Error, f.now.Code = e.Message, e.Code
	}
}

// run opens the drive and fetches what was asked for, again with each version.
func (f *fetching) run(ctx context.Context, peers []peer.AddrInfo) error {
	d, err := f.n.Drive(ctx, f.key, peers...)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Refresh(ctx); err != nil {
		return err
	}
	for {
		head := d.Core().Head()
		if head.Length > 0 {
			if err := f.version(ctx, d.Drive); err != nil {
				return err
			}
		}
		if f.order.Version > 0 && head.Length > 0 {
			<-ctx.Done()
			return nil
		}
		if _, err := d.Core().Wait(ctx, head); err != nil {
			return err
		}
	}
}

// version fetches the version that is wanted, or the newest.
func (f *fetching) version(ctx context.Context, d *drive.Drive) error {
	at := d.Snapshot()
	if f.order.Version > 0 {
		at = d.At(f.order.Version)
	}
	b, err := at.Blobs(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	if content := b.Core().DiscoveryKey(); len(f.topics) == 1 {
		f.topics = append(f.topics, content)
		f.base += f.came(content)
	}
	f.now.Version, f.now.Held = at.Version(), false
	f.mu.Unlock()
	path := f.order.Path
	if path == "" {
		path = "/"
	}
	if err := at.Download(ctx, path, drive.DownloadOptions{}); err != nil {
		if errors.Is(err, drive.ErrNotFound) || errors.Is(err, core.ErrTruncated) {
			return nil // who reads it will see
		}
		return err
	}
	f.set(func(s *Fetching) { s.Held = true })
	return nil
}

// sum is how much came from peers, ever.
func (f *fetching) sum() (bytes uint64) {
	for _, d := range f.topics {
		bytes += f.came(d)
	}
	return bytes
}

func (f *fetching) came(d keys.DiscoveryKey) uint64 {
	if r := f.n.Transfer(d); r != nil {
		return r.Stats().BytesIn
	}
	return 0
}

// state is the present one.
func (f *fetching) state() (s Fetching, ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := f.sum()
	f.now.Bytes = max(f.now.Bytes, sum-min(f.base, sum))
	if r := f.n.Transfer(f.topics[0]); r != nil {
		f.now.Peers = r.Stats().Peers
	}
	if f.now.Version == 0 {
		st := f.n.Status()
		f.now.Profile, f.now.Connections, f.now.Networks = st.Profile, st.Connections, st.Networks
	}
	return f.now, f.ended
}

// tell writes the state whenever it has changed, and once a second.
func (f *fetching) tell(ctx context.Context, w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out, flush := json.NewEncoder(w), http.NewResponseController(w).Flush
	tick := time.NewTicker(fetchEvery)
	defer tick.Stop()
	var last Fetching
	var told time.Time
	for {
		if now, ended := f.state(); ended || !same(&now, &last) || time.Since(told) > fetchBeat {
			last, told = now, time.Now()
			if out.Encode(now) != nil || flush() != nil || ended {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func same(a, b *Fetching) bool {
	return a.Version == b.Version && a.Bytes == b.Bytes && a.Peers == b.Peers && a.Held == b.Held && a.Connections == b.Connections
}

// Fetch has the node fetch a drive and yields how far it is, for as long as the caller takes what is yielded. The node holds the
// drive open meanwhile.
func (c *Client) Fetch(ctx context.Context, k keys.Key, o Fetch) iter.Seq2[Fetching, error] {
	return func(yield func(Fetching, error) bool) {
		text, err := json.Marshal(o)
		if err != nil {
			yield(Fetching{}, err)
			return
		}
		body, err := c.send(ctx, http.MethodPost, drivePath(k)+"/fetch", bytes.NewReader(text))
		if err != nil {
			yield(Fetching{}, err)
			return
		}
		defer body.Close()
		for in := json.NewDecoder(body); ; {
			var now Fetching
			switch err := in.Decode(&now); {
			case errors.Is(err, io.EOF):
				yield(now, fmt.Errorf("the node has ended: %w", io.ErrUnexpectedEOF))
				return
			case err != nil:
				yield(now, fmt.Errorf("reading the node's answer: %w", err))
				return
			case now.Error != "":
				yield(now, &Error{http.StatusInternalServerError, now.Error, now.Code})
				return
			case !yield(now, nil):
				return
			}
		}
	}
}

// Follow makes files that a mirror follows: changed returns once there is another version than the one given.
func (f *Files) Follow(changed func(ctx context.Context, version uint64) (uint64, error)) {
	f.changed = changed
}

// Purge deletes a drive, entries and contents, from the node's store.
func (c *Client) Purge(ctx context.Context, k keys.Key) error {
	return c.do(ctx, http.MethodDelete, drivePath(k), nil, nil)
}

func (s *server) purge(w http.ResponseWriter, r *http.Request) error {
	return s.withDrive(r, func(ctx context.Context, d *drive.Drive) error {
		if d.Writable() {
			return &Error{http.StatusForbidden, "it was made here, and would be lost", CodeRefused}
		}
		if err := d.Purge(ctx); err != nil {
			return err
		}
		return give(w, struct{}{})
	})
}
