package replicate

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// The reader that is killed is this test's own binary, told by its environment what to read and where to keep it.
const (
	killDir  = "HYPERNODE_KILL_DIR"
	killAddr = "HYPERNODE_KILL_ADDR"
	killKey  = "HYPERNODE_KILL_KEY"
)

// killBlocks is how many blocks of killSize bytes are read, over some lives.
const (
	killBlocks = 4000
	killSize   = 2 << 10
)

func openKilled(dir string, source core.Source) (*datastore.DB, *corestore.Store, error) {
	db, err := pebble.Open(dir, pebble.Options{Options: datastore.Options{Durability: datastore.Process}})
	if err != nil {
		return nil, nil, err
	}
	s, err := corestore.Open(context.Background(), db, corestore.Options{Source: source, PrimaryKey: keys.PrimaryKey{3}})
	return db, s, err
}

func TestMain(m *testing.M) {
	if os.Getenv(killDir) == "" {
		goleak.VerifyTestMain(m)
		return
	}
	fmt.Fprintln(os.Stderr, killedReader(context.Background()))
	os.Exit(1)
}

// killedReader is the process that is killed. It says how many blocks it holds at first, and of each one that came. It returns when
// it fails.
func killedReader(ctx context.Context) error {
	set := New(Options{})
	_, s, err := openKilled(os.Getenv(killDir), set)
	if err != nil {
		return err
	}
	key, err := keys.Parse(os.Getenv(killKey))
	if err != nil {
		return err
	}
	c, err := s.Open(ctx, corestore.Key(key))
	if err != nil {
		return err
	}
	held, err := count(ctx, c)
	if err != nil {
		return err
	}
	fmt.Printf("held %d\n", held)
	raw, err := net.Dial("tcp", os.Getenv(killAddr))
	if err != nil {
		return err
	}
	conn, err := secretstream.Client(ctx, raw, secretstream.Options{})
	if err != nil {
		return err
	}
	go func() { _ = set.Serve(ctx, conn, s.Find) }()
	w := whole(killBlocks)
	w.Progress = func(done, _ uint64) { fmt.Printf("held %d\n", held+done) }
	if err := c.Download(ctx, w); err != nil {
		return err
	}
	fmt.Println("all")
	select {} // until it is killed
}

// count returns how many blocks a core holds.
func count(ctx context.Context, c *core.Core) (n uint64, err error) {
	list, err := c.Held(ctx, 0, killBlocks)
	for _, r := range list {
		n += r.End - r.Start
	}
	return n, err
}

// kills returns how often to kill.
func kills(t *testing.T) int {
	t.Helper()
	text, ok := os.LookupEnv("HYPERNODE_KILLS")
	switch {
	case ok:
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	case testing.Short():
		return 2
	}
	return 8
}

// listen serves a node over TCP until the test ends, and returns the address.
func (n *node) listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				_ = serve(ctx, n, func() (mux.Conn, error) { return secretstream.Server(ctx, raw, secretstream.Options{}) })
			})
		}
	})
	t.Cleanup(func() { cancel(); l.Close(); work.Wait() })
	return l.Addr().String()
}

// A reader that is killed at any moment of a download goes on where it was: what it had said to hold it holds.
func TestKillReader(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	n := newNode(t, Options{})
	w := n.open(corestore.Name("log"))
	var blocks [][]byte
	for i := range killBlocks {
		blocks = append(blocks, bytes.Repeat([]byte{byte(i), byte(i >> 8)}, killSize/2))
	}
	if _, err := w.Append(t.Context(), blocks...); err != nil {
		t.Fatal(err)
	}
	addr, lives, lost := n.listen(t), kills(t), uint64(0)
	dir := t.TempDir()
	for life := range lives {
		// In some lives it gets further than in others, and in the last one to the end.
		span := uint64(2*killBlocks/lives + 1)
		said, all := liveAndDie(t, dir, addr, w.Key(), rng.Uint64N(span), time.Duration(rng.IntN(5000))*time.Microsecond, life == lives-1)
		held := inspect(t, dir, w, blocks)
		if held < said {
			lost += said - held
		}
		if all && held != killBlocks {
			t.Errorf("seed %d, life %d: %d blocks of all", seed, life, held)
		}
		if all && life < lives-1 {
			dir = t.TempDir()
		}
	}
	if lost > killBlocks*2/100 {
		t.Errorf("seed %d: %d blocks that were there have to be fetched again", seed, lost)
	}
	t.Logf("%d kills, %d blocks lost", lives, lost)
}

// liveAndDie starts a reader, and kills it a while after it has said to have got so many blocks more, or all when it is to go
// on to the end. It returns how many blocks it said to hold, and whether that were all.
func liveAndDie(t *testing.T, dir, addr string, key keys.Key, more uint64, while time.Duration, end bool) (said uint64, all bool) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), killDir+"="+dir, killAddr+"="+addr, killKey+"="+key.String())
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(time.Minute, func() { child.Process.Kill() })
	defer watchdog.Stop()
	first, begun, text := uint64(0), false, ""
	for s := bufio.NewScanner(out); s.Scan(); {
		text = s.Text()
		if all = all || text == "all"; all {
			child.Process.Kill()
			continue
		}
		number, ok := strings.CutPrefix(text, "held ")
		if !ok {
			continue
		}
		if said, err = strconv.ParseUint(number, 10, 64); err != nil {
			continue // cut off by the end
		}
		if !begun {
			first, begun = said, true
		}
		if !end && said >= first+more {
			time.AfterFunc(while, func() { child.Process.Kill() })
			end = true
		}
	}
	child.Wait()
	if !begun {
		t.Fatalf("the reader did not begin: %q", text)
	}
	return said, all
}

// inspect opens the store of a reader that was killed, and returns how many blocks it holds, all of them right.
func inspect(t *testing.T, dir string, w *core.Core, blocks [][]byte) uint64 {
	t.Helper()
	db, s, err := openKilled(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer s.Close()
	c, err := s.Open(t.Context(), corestore.Key(w.Key()))
	if err != nil {
		t.Fatal(err)
	}
	report, err := c.Verify(t.Context())
	if err != nil || !report.OK() {
		t.Fatalf("%+v, %v", report, err)
	}
	list, err := c.Held(t.Context(), 0, killBlocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		for i := r.Start; i < r.End; i++ {
			if b, err := c.Get(t.Context(), i); err != nil || !bytes.Equal(b, blocks[i]) {
				t.Fatalf("block %d: %d bytes, %v", i, len(b), err)
			}
		}
	}
	n, err := count(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
