package interop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/keys"
)

// guestDeadline is how long a test with processes of both makes may take.
const guestDeadline = 60 * time.Second

// TestGuests has stock JavaScript drives meet the command of this module, each in processes of its own: by Hypercore's own
// transport over TCP, and over js-libp2p.
func TestGuests(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector does not look into other processes")
	}
	installed(t)
	installedLibp2p(t)
	program := BuildProgram(t)
	plain, libp2p := &guests{program, Start(t)}, &guests{program, StartLibp2p(t)}
	t.Run("plain TCP", plain.overTCP)
	t.Run("libp2p", libp2p.overLibp2p)
}

// overTCP runs the tests with Hypercore's own transport.
func (g *guests) overTCP(t *testing.T) {
	t.Run("a shared folder to JS, live", g.each(shareToJS))
	t.Run("a JS drive to get", g.each(getFromJS))
	t.Run("a JS drive to get, by a connection that breaks", g.each(getThroughBreaks))
	t.Run("a JS drive that lacks a file to get", g.each(getCleared))
	t.Run("JS to node to node to JS and back", g.each(relayGuests))
}

// guests is what the tests have in common.
type guests struct {
	program *Program
	peer    *Peer
}

func (g *guests) each(run func(t *testing.T, ctx context.Context, g *guests)) func(*testing.T) {
	return func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), guestDeadline)
		defer cancel()
		run(t, ctx, g)
	}
}

// plainPort is the port at which Hypercore's own transport is served.
func plainPort(t *testing.T, addresses []string) int {
	t.Helper()
	i := slices.IndexFunc(addresses, func(a string) bool { return strings.HasPrefix(a, "tcp://") })
	if i < 0 {
		t.Fatalf("no plain address among %q", addresses)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(addresses[i], "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// dialPlain has a store of a JavaScript peer connect to a port with a secret stream, until the test ends.
func dialPlain(t *testing.T, ctx context.Context, s *Store, port int) {
	t.Helper()
	l, err := s.Dial(ctx, SecretStream, port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConnection(t, l.Close) })
}

// followed is the folder into which a JavaScript peer mirrors a drive, now and after each change.
func followed(t *testing.T, ctx context.Context, s *Store, key keys.Key) string {
	t.Helper()
	j, err := openJSDrive(ctx, s, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "mirror")
	var f struct{ Handle int }
	if err := j.do(ctx, "drive.follow", Args{"dir": dir}, &f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Peer.Command(context.Background(), "close", Args{"handle": f.Handle}, nil); err != nil {
			t.Error("ending a mirror: ", err)
		}
	})
	return dir
}

// served is what "share" and "node run" print.
type served struct {
	Key, Peer string
	Addresses []string
}

func (s served) key(t *testing.T) keys.Key {
	t.Helper()
	key, err := keys.Parse(strings.TrimPrefix(s.Key, "hyper://"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// shareToJS has a stock Hyperdrive mirror a folder that "share" serves, and follow its changes.
func shareToJS(t *testing.T, ctx context.Context, g *guests) {
	dir := plant(t, 1)
	var s served
	g.program.Home(t).Serve(t, &s, "share", dir, "--live")
	store := g.peer.Store(t)
	dialPlain(t, ctx, store, plainPort(t, s.Addresses))
	mirror := followed(t, ctx, store, s.key(t))
	sameTrees(t, ctx, dir, mirror)
	change(t, dir)
	sameTrees(t, ctx, dir, mirror)
}

// jsDriveOf makes a drive in a JavaScript store from a folder.
func jsDriveOf(t *testing.T, ctx context.Context, s *Store, dir string) *jsDrive {
	t.Helper()
	j, err := openJSDrive(ctx, s, keys.Key{}, nil)
	if err == nil {
		err = j.do(ctx, "drive.import", Args{"dir": dir}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// getFromJS has "get" fetch a drive that a stock Hyperdrive serves, and fetch again what has changed.
func getFromJS(t *testing.T, ctx context.Context, g *guests) {
	dir := plant(t, 2)
	store := g.peer.Store(t)
	j := jsDriveOf(t, ctx, store, dir)
	l, err := store.Listen(ctx, SecretStream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConnection(t, l.Close) })
	g.getTwice(t, ctx, j, dir, fmt.Sprintf("hyper://%s?peer=tcp://127.0.0.1:%d", j.key, l.Port()))
}

// getThroughBreaks has "get" fetch a drive of a stock Hyperdrive although the connection breaks again and again.
func getThroughBreaks(t *testing.T, ctx context.Context, g *guests) {
	dir := plant(t, 7)
	store := g.peer.Store(t)
	j := jsDriveOf(t, ctx, store, dir)
	l, err := store.Listen(ctx, SecretStream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConnection(t, l.Close) })
	port := breaking(t, l.Port(), 100, 20_000, 600_000, 600_000)
	dest := filepath.Join(t.TempDir(), "dest")
	address := fmt.Sprintf("hyper://%s?peer=tcp://127.0.0.1:%d", j.key, port)
	if err := g.program.Home(t).Run(ctx, nil, "get", address, dest); err != nil {
		t.Fatal(err)
	}
	sameTrees(t, ctx, dir, dest)
}

// getCleared has "get" fetch a drive of which a stock Hyperdrive lacks a file: it ends in time, and says so. The source ends
// the connection when it is asked for what it cannot prove any more.
func getCleared(t *testing.T, ctx context.Context, g *guests) {
	store := g.peer.Store(t)
	j := jsDriveOf(t, ctx, store, plant(t, 8))
	if err := j.do(ctx, "drive.clear", Args{"path": "/folder 1/b/43"}, nil); err != nil {
		t.Fatal(err)
	}
	l, err := store.Listen(ctx, SecretStream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConnection(t, l.Close) })
	address := fmt.Sprintf("hyper://%s?peer=tcp://127.0.0.1:%d", j.key, l.Port())
	start := time.Now()
	err = g.program.Home(t).Run(ctx, nil, "get", address, filepath.Join(t.TempDir(), "dest"), "--timeout", "3s")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(err.Error(), "nothing came for 3s") {
		t.Fatalf("it ended with %v", err)
	}
	t.Logf("it ended after %s", time.Since(start))
}

// relayGuests has two nodes, which are joined by libp2p, seed the drives of two JavaScript peers, each of which knows one
// node: each mirrors the other's drive, and follows it.
func relayGuests(t *testing.T, ctx context.Context, g *guests) {
	nodes := []*Home{g.program.Home(t), g.program.Home(t)}
	var at [2]served
	nodes[0].Serve(t, &at[0], "node", "run")
	first := slices.IndexFunc(at[0].Addresses, func(a string) bool { return strings.Contains(a, "/p2p/") })
	nodes[1].Serve(t, &at[1], "node", "run", "--bootstrap", at[0].Addresses[first])

	var stores [2]*Store
	var drives [2]*jsDrive
	var dirs [2]string
	for i := range stores {
		dirs[i] = plant(t, byte(3+i))
		stores[i] = g.peer.Store(t)
		drives[i] = jsDriveOf(t, ctx, stores[i], dirs[i])
		for _, n := range nodes {
			if err := n.Run(ctx, nil, "seed", "hyper://"+drives[i].key.String()); err != nil {
				t.Fatal(err)
			}
		}
		dialPlain(t, ctx, stores[i], plainPort(t, at[i].Addresses))
	}
	mirrors := [2]string{followed(t, ctx, stores[0], drives[1].key), followed(t, ctx, stores[1], drives[0].key)}
	for i := range drives {
		sameTrees(t, ctx, dirs[i], mirrors[1-i])
		change(t, dirs[i])
		if err := drives[i].do(ctx, "drive.import", Args{"dir": dirs[i]}, nil); err != nil {
			t.Fatal(err)
		}
		sameTrees(t, ctx, dirs[i], mirrors[1-i])
	}
}
