package interop

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// overLibp2p runs the tests with stock cores and drives over js-libp2p, by each transport that both makes have.
func (g *guests) overLibp2p(t *testing.T) {
	for transport, name := range map[string]string{"/tcp/": "TCP", "/ws": "WebSocket"} {
		t.Run("a shared folder to JS, live, "+name, g.each(func(t *testing.T, ctx context.Context, g *guests) {
			shareOverLibp2p(t, ctx, g, transport, (*Host).Dial)
		}))
		t.Run("a JS drive to get, "+name, g.each(func(t *testing.T, ctx context.Context, g *guests) {
			getOverLibp2p(t, ctx, g, transport)
		}))
	}
	t.Run("a shared folder to JS, live, secret stream", g.each(func(t *testing.T, ctx context.Context, g *guests) {
		shareOverLibp2p(t, ctx, g, "/tcp/", (*Host).DialRaw)
	}))
}

// addressBy is the address of a list that is of a transport.
func addressBy(t *testing.T, transport string, list []string) string {
	t.Helper()
	i := slices.IndexFunc(list, func(a string) bool {
		return strings.Contains(a, transport) && strings.Contains(a, "/p2p/") && strings.Contains(a, "/ws") == (transport == "/ws")
	})
	if i < 0 {
		t.Fatalf("no address with %s among %q", transport, list)
	}
	return list[i]
}

// shareOverLibp2p is shareToJS over js-libp2p: the guest dials, opens the stream and reads.
func shareOverLibp2p(t *testing.T, ctx context.Context, g *guests, transport string, dial func(*Host, context.Context, string) error) {
	dir := plant(t, 5)
	var s served
	g.program.Home(t).Serve(t, &s, "share", dir, "--live")
	store := g.peer.Store(t)
	if err := dial(store.Host(t), ctx, addressBy(t, transport, s.Addresses)); err != nil {
		t.Fatal(err)
	}
	mirror := followed(t, ctx, store, s.key(t))
	sameTrees(t, ctx, dir, mirror)
	change(t, dir)
	sameTrees(t, ctx, dir, mirror)
}

// getOverLibp2p is getFromJS over js-libp2p: the command dials, opens the stream and reads.
func getOverLibp2p(t *testing.T, ctx context.Context, g *guests, transport string) {
	dir := plant(t, 6)
	store := g.peer.Store(t)
	j := jsDriveOf(t, ctx, store, dir)
	listen := map[string]string{"/tcp/": "/ip4/127.0.0.1/tcp/0", "/ws": "/ip4/127.0.0.1/tcp/0/ws"}[transport]
	host := store.Host(t, listen)
	address := fmt.Sprintf("hyper://%s?peer=%s", j.key, addressBy(t, transport, host.Addresses))
	g.getTwice(t, ctx, j, dir, address)
}

// getTwice fetches a drive that was made of a folder, and once more when the folder and the drive have changed.
func (g *guests) getTwice(t *testing.T, ctx context.Context, j *jsDrive, dir, address string) {
	t.Helper()
	home, dest := g.program.Home(t), filepath.Join(t.TempDir(), "dest")
	for n := range 2 {
		if n > 0 {
			change(t, dir)
			if err := j.do(ctx, "drive.import", Args{"dir": dir}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := home.Run(ctx, nil, "get", address, dest, "--prune"); err != nil {
			t.Fatal(err)
		}
		sameTrees(t, ctx, dir, dest)
	}
}
