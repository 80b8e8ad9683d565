package core_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// The writer that is killed is this test's own binary, told by its environment where to write.
const (
	killDir  = "HYPERNODE_KILL_DIR"
	killMode = "HYPERNODE_KILL_MODE"
	killSeed = "HYPERNODE_KILL_SEED"

	killCores  = 3
	killLength = 300 // a core that is longer is truncated
)

// killOptions make a store with files so small that they are often begun anew.
func killOptions(mode datastore.Durability) pebble.Options {
	o := pebble.Options{JournalSize: 32 << 10, SegmentSize: 128 << 10, Inline: 128}
	o.Durability, o.Reserve = mode, -1
	return o
}

func killPair(n int) keys.Pair { return keys.PairFromSeed(keys.Seed{'k', byte(n)}) }

// killBlock is the content of a block that was appended at a fork: nothing else can be in its place.
func killBlock(n int, fork, index uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{byte(n)}, fork)
	b = binary.BigEndian.AppendUint64(b, index)
	r := rand.New(rand.NewPCG(fork<<8|uint64(n), index))
	for range r.IntN(700) {
		b = append(b, byte(r.Uint32()))
	}
	return b
}

// TestMain makes the process the writer that TestKill kills, when it was started as that.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		fmt.Fprintln(os.Stderr, killWriter(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// killWriter writes until it is killed. It says before each change what it will lead to, and after it that it is done; each
// core has a goroutine of its own.
func killWriter(dir string) error {
	mode, err := strconv.ParseUint(os.Getenv(killMode), 10, 8)
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(os.Getenv(killSeed), 10, 64)
	if err != nil {
		return err
	}
	db, err := pebble.Open(dir, killOptions(datastore.Durability(mode)))
	if err != nil {
		return err
	}
	failed := make(chan error)
	for n := range killCores {
		go func() { failed <- killWrite(db, n, rand.New(rand.NewPCG(seed, uint64(n)))) }()
	}
	return <-failed
}

func killWrite(db *datastore.DB, n int, r *rand.Rand) error {
	ctx := context.Background()
	c, err := core.Open(ctx, db, core.Options{Pair: killPair(n), Source: killSource{n}})
	if err != nil {
		return err
	}
	for {
		h := c.Head()
		next := core.Head{Fork: h.Fork}
		var do func() error
		if h.Length > killLength || r.IntN(40) == 0 && h.Length > 0 {
			next = core.Head{Fork: h.Fork + 1, Length: r.Uint64N(h.Length)}
			do = func() error { return c.Truncate(ctx, next.Length) }
		} else {
			var blocks [][]byte
			for next.Length = h.Length; next.Length <= h.Length+r.Uint64N(8); next.Length++ {
				blocks = append(blocks, killBlock(n, h.Fork, next.Length))
			}
			do = func() error {
				_, err := c.Append(ctx, blocks...)
				return err
			}
		}
		fmt.Printf("begin %d %d %d\n", n, next.Fork, next.Length)
		if err := do(); err != nil {
			return err
		}
		fmt.Printf("done %d %d %d\n", n, next.Fork, next.Length)
	}
}

// killSource tells the parent what peers are told.
type killSource struct{ n int }

func (s killSource) Attach(*core.Core) core.Session { return s }

func (s killSource) Fetch(context.Context, core.Want) error { return core.ErrNotAvailable }

func (s killSource) Changed(ch core.Change) {
	fmt.Printf("shown %d %d %d\n", s.n, ch.Head.Fork, ch.Head.Length)
}

func (s killSource) Close() error { return nil }

// killed is what is known of a core whose writer was killed.
type killed struct{ begun, done core.Head }

// after tells whether head a is b, or comes after it.
func after(a, b core.Head) bool {
	return a.Fork > b.Fork || a.Fork == b.Fork && a.Length >= b.Length
}

// TestKill kills a process that writes, with SIGKILL and at any moment, and looks whether all that it acknowledged is there.
func TestKill(t *testing.T) {
	kills := int(crashNumber(t, "HYPERNODE_KILLS", 5))
	for _, mode := range []datastore.Durability{datastore.Full, datastore.Process} {
		t.Run(mode.String(), func(t *testing.T) {
			seed := crashSeed(t)
			r := rand.New(rand.NewPCG(seed, 0))
			dir, lines := t.TempDir(), 0
			var cores [killCores]killed
			for i := range kills {
				n, err := killOne(dir, mode, r, &cores)
				if err == nil {
					err = killCheck(dir, mode, r.IntN(2) == 0, &cores)
				}
				if err != nil {
					t.Fatalf("kill %d of a run with HYPERNODE_CRASH_SEED=%d: %v", i+1, seed, err)
				}
				lines += n
			}
			t.Logf("%d kills, %d reports of the writer, heads %v %v %v", kills, lines, cores[0].done, cores[1].done, cores[2].done)
		})
	}
}

// killOne runs a writer, kills it after a random number of reports and a random moment more, and notes what it said.
func killOne(dir string, mode datastore.Durability, r *rand.Rand, cores *[killCores]killed) (lines int, err error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprintf("%s=%d", killMode, mode), fmt.Sprintf("%s=%d", killSeed, r.Uint32()))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	enough, moment := r.IntN(400), time.Duration(r.IntN(8000))*time.Microsecond
	var rest strings.Builder
	for in := bufio.NewScanner(out); in.Scan(); {
		if lines == enough {
			time.AfterFunc(moment, func() { _ = cmd.Process.Kill() })
		}
		if lines++; !killNote(in.Text(), cores) {
			fmt.Fprintln(&rest, in.Text())
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 {
		return lines, nil
	}
	return lines, fmt.Errorf("the writer ended by itself: %w\n%s%s", err, rest.String(), complaints.String())
}

// killNote takes one line of what the writer says.
func killNote(line string, cores *[killCores]killed) bool {
	var what string
	var n int
	var h core.Head
	if _, err := fmt.Sscanf(line, "%s %d %d %d", &what, &n, &h.Fork, &h.Length); err != nil || n >= killCores {
		return false
	}
	switch c := &cores[n]; {
	case what == "begin":
		c.begun = h
	case what == "done", what == "shown" && after(h, c.done):
		c.done = h
	}
	return true
}

// killCheck opens the store after a kill. Each core must have all that was acknowledged, and nothing but what was begun.
func killCheck(dir string, mode datastore.Durability, readOnly bool, cores *[killCores]killed) (err error) {
	ctx := context.Background()
	o := killOptions(mode)
	o.ReadOnly = readOnly // and leave the mending to the next writer
	db, err := pebble.Open(dir, o)
	if err != nil {
		return fmt.Errorf("reopening (read-only %v): %w", readOnly, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for n := range cores {
		if err := killCheckCore(ctx, db, n, readOnly, &cores[n]); err != nil {
			return fmt.Errorf("core %d, done %v, begun %v: %w", n, cores[n].done, cores[n].begun, err)
		}
	}
	return nil
}

func killCheckCore(ctx context.Context, db *datastore.DB, n int, readOnly bool, k *killed) error {
	c, err := core.Open(ctx, db, core.Options{Pair: killPair(n), ReadOnly: readOnly, MustExist: true})
	if errors.Is(err, core.ErrNotFound) && k.done == (core.Head{}) {
		return nil
	}
	if err != nil {
		return err
	}
	defer c.Close()
	h := c.Head()
	if h.ByteLength = 0; h != k.done && h != k.begun {
		return fmt.Errorf("it has %v", h)
	}
	i := uint64(0)
	for b, err := range c.Blocks(ctx, 0, h.Length) {
		if err != nil {
			return err
		}
		if len(b) < 9 || !bytes.Equal(b, killBlock(n, binary.BigEndian.Uint64(b[1:]), i)) {
			return fmt.Errorf("block %d is %x", i, b)
		}
		i++
	}
	rep, err := c.Verify(ctx)
	if err == nil && !rep.OK() {
		err = fmt.Errorf("does not verify: %+v", rep)
	}
	k.done, k.begun = h, h
	return err
}
