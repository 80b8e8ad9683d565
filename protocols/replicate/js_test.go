package replicate

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// jsPeer is a process of a stock peer.
type jsPeer struct {
	t    *testing.T
	in   io.Writer
	out  *bufio.Scanner
	key  keys.Key
	port int
}

type jsReply struct {
	Key, Hash, Error string
	Port             int
	Length, Fork     uint64
}

// startJS starts a stock peer, where its packages are installed: npm ci in testdata/js.
func startJS(t *testing.T, args ...string) *jsPeer {
	t.Helper()
	if _, err := os.Stat(filepath.Join("testdata", "js", "node_modules")); err != nil {
		missing(t, "the packages of testdata/js are not installed: run make js")
	}
	cmd := exec.Command("node", append([]string{filepath.Join("testdata", "js", "peer.cjs"), t.TempDir()}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		missing(t, "no node: "+err.Error())
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error("the peer: ", err)
		}
	})
	p := &jsPeer{t: t, in: in, out: bufio.NewScanner(out)}
	r := p.reply()
	p.port = r.Port
	if p.key, err = keys.Parse(r.Key); err != nil {
		t.Fatal(err)
	}
	return p
}

// missing skips a test for lack of something, but not where nothing may lack.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func (p *jsPeer) reply() (r jsReply) {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatal("the peer has ended: ", p.out.Err())
	}
	if err := json.Unmarshal(p.out.Bytes(), &r); err != nil || r.Error != "" {
		p.t.Fatalf("the peer says %s", p.out.Text())
	}
	return r
}

func (p *jsPeer) do(format string, args ...any) jsReply {
	p.t.Helper()
	fmt.Fprintf(p.in, format+"\n", args...)
	return p.reply()
}

// dial connects a node to the peer until the test ends.
func (p *jsPeer) dial(n *node) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, n, func() (mux.Conn, error) {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
			if err != nil {
				return nil, err
			}
			return secretstream.Client(ctx, conn, secretstream.Options{})
		})
	}()
	p.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			p.t.Error("serving: ", err)
		}
	})
}

func TestFromJS(t *testing.T) {
	p := startJS(t, "write", "3000")
	n := newNode(t, Options{})
	p.dial(n)
	r := n.open(corestore.Key(p.key))
	mustGet(t, r, 1234, block(1234))
	if err := r.Download(within(t), core.Want{Ranges: []core.Range{{Start: 0, End: 3000}}}); err != nil {
		t.Fatalf("%v, contiguous %d", err, r.Contiguous())
	}
	p.do("append 10")
	mustReach(t, r, 3010)
	mustGet(t, r, 3009, block(3009))
	p.do("truncate 2000")
	js := p.do("append 5")
	ctx := within(t)
	for h := r.Head(); r.TreeHash().String() != js.Hash; {
		var err error
		if h, err = r.Wait(ctx, h); err != nil {
			t.Fatalf("%v at %+v, want %+v", err, r.Head(), js)
		}
	}
	mustGet(t, r, 2004, block(2004))
	if st := n.set.Core(p.key.Discovery()).Stats(); st.Refused > 0 || st.Unavailable > 0 {
		t.Errorf("%+v", st)
	}
}

func TestToJS(t *testing.T) {
	n := newNode(t, Options{})
	w := n.writer("log", 1000)
	p := startJS(t, "read", w.Key().Hex())
	p.dial(n)
	if r := p.do("download 0 1000"); r.Length != 1000 || r.Hash != w.TreeHash().String() {
		t.Errorf("%+v", r)
	}
	grow(t, w, 7)
	if r := p.do("download 1000 1007"); r.Hash != w.TreeHash().String() {
		t.Errorf("%+v", r)
	}
	if err := w.Truncate(t.Context(), 500); err != nil {
		t.Fatal(err)
	}
	grow(t, w, 3)
	if r := p.do("reach 503 1"); r.Hash != w.TreeHash().String() {
		t.Errorf("%+v", r)
	}
	if r := p.do("download 400 503"); r.Length != 503 {
		t.Errorf("%+v", r)
	}
}
