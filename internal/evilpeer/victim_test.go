package evilpeer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols/replicate"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// victimEnv makes the test's binary a victim.
const victimEnv = "HYPERNODE_EVIL_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victimEnv) == "" {
		os.Exit(m.Run())
	}
	if err := runVictim(); err != nil {
		fmt.Fprintln(os.Stderr, "victim:", err)
		os.Exit(1)
	}
}

// report is what the victim says after each command.
type report struct {
	Addr       string
	Serves     string
	Heap       int64 // bytes that are in use after a collection
	Goroutines int
	CPU        time.Duration // since the start
	Fetched    bool          // the core that it reads is here
	Fault      string
	State      string // of the core that it reads, when asked to show it
}

// The victim's patience with peers, short so that tests are.
const (
	victimHandshake = time.Second
	victimStall     = time.Second
)

// unhurried is d, or what it takes under the race detector.
func unhurried(d time.Duration) time.Duration {
	if raceEnabled {
		return 4 * d
	}
	return d
}

// served is how many blocks of servedSize bytes the victim serves.
const (
	served     = 300
	servedSize = 4 << 10
)

// victim is a process that reads and serves cores, and does what its input says.
type victim struct {
	set    *replicate.Set
	store  *corestore.Store
	listen net.Listener
	work   sync.WaitGroup

	wanted *core.Core
	stop   context.CancelFunc // of what reads it
	reads  sync.WaitGroup

	mu      sync.Mutex
	fetched bool
	fault   error
}

func runVictim() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db := datastore.NewMemory(datastore.Options{})
	v := &victim{set: replicate.New(replicate.Options{}), stop: func() {}}
	var err error
	if v.store, err = corestore.Open(ctx, db, corestore.Options{Source: v.set, PrimaryKey: keys.PrimaryKey{1}}); err != nil {
		return err
	}
	c, err := v.store.Open(ctx, corestore.Name("served"))
	if err == nil {
		_, err = c.Append(ctx, someBlocks(served, servedSize)...)
	}
	if err == nil {
		v.listen, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return err
	}
	v.work.Go(func() { v.accept(ctx) })
	err = v.obey(ctx, report{Addr: v.listen.Addr().String(), Serves: c.Key().String()})
	cancel()
	v.listen.Close()
	v.work.Wait()
	v.close()
	return errors.Join(err, v.store.Close(), db.Close())
}

func someBlocks(n, size int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = []byte(strings.Repeat(fmt.Sprintf("%8d", i), size/8))
	}
	return list
}

func (v *victim) accept(ctx context.Context) {
	for {
		raw, err := v.listen.Accept()
		if err != nil {
			return
		}
		v.work.Go(func() {
			conn, err := secretstream.Server(ctx, raw, secretstream.Options{
				Handshake: unhurried(victimHandshake), Limits: secretstream.Limits{Stall: unhurried(victimStall)},
			})
			if err == nil {
				v.set.Serve(ctx, conn, v.store.Find) // peers may fail as they like
			}
		})
	}
}

// obey does what each line of the input says, and reports after it.
func (v *victim) obey(ctx context.Context, first report) error {
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(first); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		verb, arg, _ := strings.Cut(lines.Text(), " ")
		if err := v.do(ctx, verb, arg); err != nil {
			return err
		}
		r := v.measure()
		if verb == "show" {
			r.State = v.show(ctx)
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

func (v *victim) do(ctx context.Context, verb, arg string) error {
	switch verb {
	case "open":
		key, err := keys.Parse(arg)
		if err != nil {
			return err
		}
		v.wanted, err = v.store.Open(ctx, corestore.Key(key))
		return err
	case "fetch":
		v.fetch(ctx)
	case "close":
		v.close()
	}
	return nil
}

// fetch reads the blocks of the wanted core, as many as the honest writer has.
func (v *victim) fetch(ctx context.Context) {
	ctx, v.stop = context.WithCancel(ctx)
	c := v.wanted
	v.reads.Go(func() {
		err := c.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: wanted}}})
		for i := uint64(0); i < wanted && err == nil; i++ {
			var b []byte
			if b, err = c.Get(ctx, i); err == nil && string(b) != string(wantedBlock(i)) {
				err = fmt.Errorf("block %d is wrong", i)
			}
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.fetched, v.fault = err == nil, err
	})
}

func (v *victim) close() {
	v.stop()
	v.reads.Wait()
	v.mu.Lock()
	v.fetched, v.fault = false, nil
	v.mu.Unlock()
	if v.wanted != nil {
		v.wanted.Delete(context.Background())
		v.wanted.Close()
		v.wanted = nil
	}
}

// show tells what there is of the wanted core, and what was exchanged about it.
func (v *victim) show(ctx context.Context) string {
	held, err := v.wanted.Held(ctx, 0, v.wanted.Head().Length)
	return fmt.Sprintf("%v, holds %v (%v), %+v", v.wanted.Head(), held, err, v.set.Core(v.wanted.DiscoveryKey()).Stats())
}

func (v *victim) measure() report {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r := report{Heap: int64(m.HeapAlloc), Goroutines: runtime.NumGoroutine()}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		r.CPU = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	r.Fetched = v.fetched
	if v.fault != nil {
		r.Fault = v.fault.Error()
	}
	return r
}
