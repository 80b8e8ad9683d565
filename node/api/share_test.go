package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/node"
)

// slow is an engine whose disk takes a while.
type slow struct{ *pebble.Engine }

func (s slow) Sync() error {
	time.Sleep(20 * time.Millisecond)
	return s.Engine.Sync()
}

// slowNode runs on a slow disk, and does not wait for it.
func slowNode(t *testing.T) *node.Node {
	t.Helper()
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40})
	e, err := pebble.OpenEngine("store", pebble.Options{FS: mem})
	if err != nil {
		t.Fatal(err)
	}
	db := datastore.NewDB(slow{e}, datastore.Options{Durability: datastore.Process})
	c := config.Config{Discovery: config.Discovery{Profile: config.Offline}}
	c.Network.Listen, c.Network.Transports = []string{"/ip4/127.0.0.1/tcp/0"}, []string{"tcp"}
	n, err := node.NewWith(t.Context(), c, node.Options{DB: db, PrimaryKey: keys.PrimaryKey{1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// Who is told of a version of a share can have it from this node at once, also when appends do not wait for the disk.
func TestShareIsShown(t *testing.T) {
	n := slowNode(t)
	ran := make(chan error, 1)
	go func() { ran <- n.Run(t.Context()) }() // what is seeded is open from then on
	t.Cleanup(func() {
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	h := Handler(n, Options{})
	ask := func(method, path, body string) (s Share) {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
		if err := json.Unmarshal(w.Body.Bytes(), &s); w.Code != http.StatusOK || err != nil {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return s
	}
	for i := range uint64(5) {
		key := ask("POST", "/v1/drives/photos", "").Key
		ask("PUT", fmt.Sprintf("/v1/drives/%s/files/%d", key, i), "contents")
		s := ask("POST", "/v1/drives/photos", "")
		log, err := n.Store().Open(t.Context(), corestore.Key(key))
		if err != nil {
			t.Fatal(err)
		}
		if served := log.Served(); served.Length != s.Version || s.Version != i+2 {
			t.Errorf("version %d, peers are shown %d", s.Version, served.Length)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
