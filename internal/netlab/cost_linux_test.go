package netlab

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// audience is many peers, each of which opens a drive's core, learns its head, and stays.
func audience(ctx context.Context, p part) error {
	key, err := keys.Parse(strings.TrimPrefix(p.Key, "hyper://"))
	if err != nil {
		return err
	}
	victim, err := hint(p.Peer)
	if err != nil {
		return err
	}
	listening, stop := context.WithCancel(ctx)
	defer stop()
	var running, joining errgroup.Group
	joining.SetLimit(8)
	for range p.Peers {
		joining.Go(func() error {
			db := datastore.NewMemory(datastore.Options{})
			set := replicate.New(replicate.Options{})
			store, err := corestore.Open(ctx, db, corestore.Options{Source: set})
			if err != nil {
				return err
			}
			h, err := newHost()
			if err != nil {
				return err
			}
			s := protocols.New(h, set, protocols.Options{Find: store.Find})
			running.Go(func() error { return s.Run(listening) })
			if _, err := store.Open(ctx, corestore.Key(key)); err != nil {
				return err
			}
			if err := h.Connect(ctx, victim); err != nil {
				return err
			}
			if err := s.Connect(ctx, victim.ID); err != nil {
				return err
			}
			return set.Core(key.Discovery()).Joined(ctx)
		})
	}
	if err := joining.Wait(); err != nil {
		return err
	}
	tell(ready{true})
	<-ctx.Done()
	stop()
	return running.Wait()
}

// cost is what a node uses.
type cost struct{ goroutines, bytes int }

// cost asks a node that runs on a machine, with the store in a folder, after a collection of garbage.
func (m *machine) cost(store string) (c cost) {
	m.t.Helper()
	socket := filepath.Join(m.home, store, "node.sock")
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	defer client.CloseIdleConnections()
	ask := func(path string) *http.Response {
		m.t.Helper()
		res, err := client.Get("http://node" + path)
		must(m.t, err)
		if res.StatusCode != http.StatusOK {
			m.t.Fatalf("%s: %s", path, res.Status)
		}
		return res
	}
	must(m.t, ask("/debug/pprof/heap?gc=1").Body.Close())
	res := ask("/metrics")
	defer res.Body.Close()
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), " ")
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		switch name {
		case "go_goroutines":
			c.goroutines = int(n)
		case "go_memstats_heap_alloc_bytes", "go_memstats_stack_inuse_bytes":
			c.bytes += int(n)
		}
	}
	if c.goroutines == 0 || c.bytes == 0 {
		m.t.Fatalf("a cost of %+v", c)
	}
	return c
}

// TestCostOfPeers has many peers read a drive that a node shares, and stay connected: each costs little.
func TestCostOfPeers(t *testing.T) {
	t.Parallel()
	peers := 60
	if long() {
		peers = 200
	}
	l, folder := newLAN(t), bulk(t, 1)
	m := l.machine()
	n := m.run(onLAN().with("limits.peers_per_address", fmt.Sprint(2*peers)).with("limits.connections_high", fmt.Sprint(4*peers)).
		with("limits.memory", "8GiB"))
	var told shared
	m.hypernode("node", append([]string{"share", folder}, quiet()...)...).line(&told)
	before := m.cost("node")
	p := l.machine().role("audience", part{Peer: n.at(), Key: told.Key, Peers: peers}, false)
	var r ready
	p.line(&r)
	after := m.cost("node")
	each := cost{(after.goroutines - before.goroutines) / peers, (after.bytes - before.bytes) / peers}
	t.Logf("%d goroutines and %d bytes before; %d peers that share a core with it cost %d goroutines and %d bytes each",
		before.goroutines, before.bytes, peers, each.goroutines, each.bytes)
	if each.goroutines > 16 || each.bytes > 256<<10 {
		t.Error("that is too much")
	}
}
