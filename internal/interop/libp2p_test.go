package interop

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLibp2pGuests has stock cores and drives over js-libp2p meet the command of this module, by each transport that both
// have.
func TestLibp2pGuests(t *testing.T) {
	installedLibp2p(t)
	g := &guests{program: BuildProgram(t), peer: StartLibp2p(t)}
	for run := range runs(t) {
		t.Run(fmt.Sprint("run", run+1), func(t *testing.T) {
			for _, transport := range []string{"/tcp/", "/ws"} {
				name := map[string]string{"/tcp/": "TCP", "/ws": "WebSocket"}[transport]
				t.Run("a shared folder to JS, live, "+name, g.each(func(t *testing.T, ctx context.Context, g *guests) {
					shareOverLibp2p(t, ctx, g, transport)
				}))
				t.Run("a JS drive to get, "+name, g.each(func(t *testing.T, ctx context.Context, g *guests) {
					getOverLibp2p(t, ctx, g, transport)
				}))
			}
		})
	}
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
func shareOverLibp2p(t *testing.T, ctx context.Context, g *guests, transport string) {
	dir := plant(t, 5)
	var s served
	g.program.Home(t).Serve(t, &s, "share", dir, "--live")
	store := g.peer.Store(t)
	if err := store.Host(t).Dial(ctx, addressBy(t, transport, s.Addresses)); err != nil {
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
