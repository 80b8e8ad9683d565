package interop

import (
	"bufio"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// goPeerEnv makes a process of the test binary a peer that takes the commands of a JavaScript one, as far as the speed
// comparison needs them.
const goPeerEnv = "HYPERNODE_INTEROP_PEER"

// startGo starts a process of this module.
func startGo(t testing.TB) *Peer {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), goPeerEnv+"=1")
	return start(t, cmd)
}

// order is a command with all arguments that there are.
type order struct {
	Dir, Name                      string
	Key                            []byte
	Port, Count, Size, Batch, Core int
	Every                          int // in milliseconds
}

// goPeer takes commands until in ends and returns the exit code. It has one store and any number of cores.
func goPeer(in io.Reader, out io.Writer) int {
	p := &worker{}
	defer p.close()
	lines := bufio.NewReader(in)
	answers := json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return 0
		}
		var c struct {
			ID   uint64
			Cmd  string
			Args order
		}
		if err := json.Unmarshal(line, &c); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		answer := map[string]any{"id": c.ID}
		if result, err := p.obey(context.Background(), c.Cmd, c.Args); err != nil {
			answer["error"] = Failure{Message: err.Error()}
		} else {
			answer["result"] = result
		}
		if err := answers.Encode(answer); err != nil {
			return 1
		}
	}
}

// worker is what a Go process has open.
type worker struct {
	node  *Node
	db    io.Closer
	cores []*core.Core
	links []Link

	followed chan any // how long the blocks took in milliseconds, or an error
}

func (p *worker) close() {
	for _, l := range p.links {
		l.Close(context.Background())
	}
	if p.node != nil {
		p.node.Store.Close()
		p.db.Close()
	}
}

func (p *worker) obey(ctx context.Context, cmd string, o order) (any, error) {
	switch cmd {
	case "store.open":
		return map[string]int{"handle": 1}, p.open(ctx, o.Dir)
	case "core.open":
		return p.openCore(ctx, o)
	case "core.state":
		c := p.cores[o.Core]
		hash := c.TreeHash()
		return map[string]any{"key": c.Key().Hex(), "hash": hash[:], "length": c.Head().Length}, nil
	case "bench.fill":
		return nil, fill(ctx, p.cores[o.Core], o)
	case "listen":
		l, err := p.node.Listen(ctx, SecretStream)
		if err != nil {
			return nil, err
		}
		p.links = append(p.links, l)
		return map[string]int{"port": l.Port()}, nil
	case "bench.copy":
		return p.copy(ctx, o)
	case "bench.append":
		return nil, appendOften(ctx, p.cores[o.Core], o)
	case "bench.follow":
		return nil, p.follow(ctx, o)
	case "bench.followed":
		switch r := (<-p.followed).(type) {
		case error:
			return nil, r
		default:
			return map[string]any{"took": r}, nil
		}
	}
	return nil, fmt.Errorf("no command %s", cmd)
}

func (p *worker) open(ctx context.Context, dir string) error {
	o := pebble.Options{Options: datastore.Options{Durability: datastore.Process}}
	db, err := pebble.Open(filepath.Join(dir, "store"), o)
	if err != nil {
		return err
	}
	p.db = db
	p.node, err = openNode(ctx, db, keys.PrimaryKey{1})
	return err
}

func (p *worker) openCore(ctx context.Context, o order) (any, error) {
	ref := corestore.Name(o.Name)
	if len(o.Key) == 32 {
		ref = corestore.Key(keys.Key(o.Key))
	}
	c, err := p.node.Store.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	p.cores = append(p.cores, c)
	key := c.Key()
	return map[string]any{"handle": len(p.cores) - 1, "key": key[:]}, nil
}

// copy is measured from before the connection is made to the last block.
func (p *worker) copy(ctx context.Context, o order) (any, error) {
	c := p.cores[o.Core]
	start := time.Now()
	l, err := p.node.Dial(ctx, SecretStream, o.Port)
	if err != nil {
		return nil, err
	}
	p.links = append(p.links, l)
	if err := c.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: uint64(o.Count)}}}); err != nil {
		return nil, err
	}
	seconds := time.Since(start).Seconds()
	if c.Contiguous() != uint64(o.Count) {
		return nil, errors.New("not all came")
	}
	return map[string]float64{"seconds": seconds}, nil
}

// appendOften appends one block each so many milliseconds, with the time of its append in front.
func appendOften(ctx context.Context, c *core.Core, o order) error {
	for range o.Count {
		start := time.Now()
		b := binary.LittleEndian.AppendUint64(make([]byte, 0, o.Size), uint64(start.UnixNano()))
		if _, err := c.Append(ctx, b[:o.Size]); err != nil {
			return err
		}
		time.Sleep(time.Duration(o.Every)*time.Millisecond - time.Since(start))
	}
	return nil
}

// follow begins to read so many blocks behind those that are there.
func (p *worker) follow(ctx context.Context, o order) error {
	l, err := p.node.Dial(ctx, SecretStream, o.Port)
	if err != nil {
		return err
	}
	p.links = append(p.links, l)
	c := p.cores[o.Core]
	if _, err := c.Wait(ctx, core.Head{}); err != nil {
		return err
	}
	p.followed = make(chan any, 1)
	start := c.Head().Length
	go func() {
		var took []float64
		for b, err := range c.Live(ctx, start) {
			if err != nil {
				p.followed <- err
				return
			}
			took = append(took, time.Since(time.Unix(0, int64(binary.LittleEndian.Uint64(b)))).Seconds()*1000)
			if len(took) == o.Count {
				break
			}
		}
		p.followed <- took
	}()
	return nil
}

const poolBytes = 8 << 20

// fill appends the blocks of the workload: bytes that do not compress, cut from a pool of 8 MiB at i*4099, with i in front.
func fill(ctx context.Context, c *core.Core, o order) error {
	pool := make([]byte, poolBytes)
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		return err
	}
	cipher.NewCTR(block, make([]byte, 16)).XORKeyStream(pool, pool)
	for i := 0; i < o.Count; {
		var group [][]byte
		for ; i < o.Count && len(group) < o.Batch; i++ {
			at := i * 4099 % (poolBytes - o.Size)
			b := append([]byte(nil), pool[at:at+o.Size]...)
			if o.Size >= 8 {
				binary.LittleEndian.PutUint64(b, uint64(i))
			}
			group = append(group, b)
		}
		if _, err := c.Append(ctx, group...); err != nil {
			return err
		}
	}
	return nil
}
