package replicate

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/testnet"
	"github.com/hypernode/hypernode/protocols/wire"
)

// oneWay is how long a message is on its way in the tests of new blocks.
const oneWay = 50 * time.Millisecond

// follower follows a core from its present end on, and tells when blocks came.
type follower struct {
	core *core.Core
	came chan time.Time
	stop func()
}

func follow(t *testing.T, c *core.Core) *follower {
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{core: c, came: make(chan time.Time, 10_000)}
	var reading sync.WaitGroup
	reading.Go(func() {
		i := c.Head().Length
		for b, err := range c.Live(ctx, i) {
			if err != nil {
				return
			}
			if string(b) != string(block(i)) {
				t.Errorf("block %d is %q", i, b)
			}
			i++
			f.came <- time.Now()
		}
	})
	f.stop = func() { cancel(); reading.Wait() }
	return f
}

// after appends blocks and returns how long after that the last of them is with the reader.
func (f *follower) after(t *testing.T, w *core.Core, count int) time.Duration {
	t.Helper()
	start := time.Now()
	grow(t, w, count)
	var last time.Time
	for range count {
		select {
		case last = <-f.came:
		case <-time.After(10 * time.Second):
			t.Fatal("a new block does not come")
		}
	}
	return last.Sub(start)
}

// settled waits until nothing is under way.
func settled() {
	time.Sleep(20 * oneWay)
	synctest.Wait()
}

// tails runs a test of a writer with 20 blocks and a reader that knows of them, on a line with a delay.
func tails(t *testing.T, o Options, test func(t *testing.T, a, b *node, w, r *core.Core)) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newNode(t, Options{}), newNode(t, o)
		w := a.writer("log", 20)
		r := b.open(corestore.Key(w.Key()))
		stop := join(a, b, testnet.Shape{Delay: oneWay})
		mustReach(t, r, 20)
		test(t, a, b, w, r)
		stop()
	})
}

// New blocks are with a reader that follows after the time of one message; the first one has to be asked for.
func TestTail(t *testing.T) {
	tails(t, Options{}, func(t *testing.T, a, b *node, w, r *core.Core) {
		f := follow(t, r)
		if took := f.after(t, w, 1); took > 4*oneWay {
			t.Errorf("the first took %v", took)
		}
		settled()
		for _, count := range []int{1, 2, tailMost, 1, 1} {
			if took := f.after(t, w, count); took > oneWay+time.Millisecond {
				t.Errorf("%d blocks took %v", count, took)
			}
		}
		start := time.Now() // without waiting: many are on their way at a time
		for range 300 {
			grow(t, w, 1)
			time.Sleep(time.Millisecond)
		}
		for range 300 {
			<-f.came
		}
		if took := time.Since(start); took > 300*time.Millisecond+oneWay+10*time.Millisecond {
			t.Errorf("300 blocks, one each millisecond, took %v", took)
		}
		settled()
		if took := f.after(t, w, 500); took > 10*oneWay { // what is more at a time is asked for
			t.Errorf("500 blocks at a time took %v", took)
		}
		settled()
		if took := f.after(t, w, 1); took > oneWay+time.Millisecond {
			t.Errorf("one block after that took %v", took)
		}
		synctest.Wait() // what came is counted after it is told
		const all = 1 + 5 + tailMost + 300 + 500 + 1
		in, out := b.set.Core(w.DiscoveryKey()).Stats(), a.set.Core(w.DiscoveryKey()).Stats()
		if in.BlocksIn != all || out.BlocksOut != all || in.Refused+in.Unasked+out.Unavailable > 0 {
			t.Errorf("of %d blocks: %+v from %+v", all, in, out)
		}
		f.stop()
	})
}

// Who follows no more gets no more, and a reader that is slow to say so does not keep what comes.
func TestTailEnds(t *testing.T) {
	tails(t, Options{}, func(t *testing.T, a, b *node, w, r *core.Core) {
		f := follow(t, r)
		f.after(t, w, 1)
		settled()
		f.after(t, w, 1)
		f.stop()
		grow(t, w, 1) // the writer does not know yet
		settled()
		sent := a.set.Core(w.DiscoveryKey()).Stats().BlocksOut
		for range 5 {
			grow(t, w, 1)
			settled()
		}
		if out := a.set.Core(w.DiscoveryKey()).Stats(); sent > 3 || out.BlocksOut != sent {
			t.Errorf("%d blocks sent to who wants none, then %d", sent, out.BlocksOut)
		}
		if held, err := r.Held(t.Context(), 0, 100); err != nil || len(held) != 1 || held[0] != (core.Range{Start: 20, End: 22}) {
			t.Errorf("holds %v, %v", held, err)
		}
		if r.Head() != w.Head() {
			t.Errorf("knows of %v, not of %v", r.Head(), w.Head())
		}
		f = follow(t, r)
		f.after(t, w, 1)
		settled()
		if took := f.after(t, w, 1); took > oneWay+time.Millisecond {
			t.Errorf("a new block took %v when it was wanted again", took)
		}
		f.stop()
	})
}

// After a truncation, which peers that push do not survive well in JavaScript, blocks are asked for.
func TestTailOfAFork(t *testing.T) {
	tails(t, Options{}, func(t *testing.T, a, b *node, w, r *core.Core) {
		f := follow(t, r)
		f.after(t, w, 1)
		settled()
		f.after(t, w, 1)
		f.stop()
		if err := w.Truncate(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		settled()
		if r.Head() != w.Head() {
			t.Fatalf("the reader is at %v, the writer at %v", r.Head(), w.Head())
		}
		f = follow(t, r)
		for range 3 {
			if took := f.after(t, w, 3); took > 4*oneWay {
				t.Errorf("it took %v", took)
			}
			settled()
		}
		f.stop()
		if s := b.set.Core(w.DiscoveryKey()).Stats(); s.Refused+s.Unasked > 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Who takes no gifts, or takes only so many bytes a second, asks for what is new.
func TestTailAskedFor(t *testing.T) {
	for name, o := range map[string]Options{"no push": {NoPush: true}, "rate": {DownloadRate: NewRate(1<<20, 1<<20)}} {
		t.Run(name, func(t *testing.T) {
			tails(t, o, func(t *testing.T, a, b *node, w, r *core.Core) {
				f := follow(t, r)
				for range 3 {
					f.after(t, w, 1)
					settled()
				}
				f.stop()
				if s := b.set.Core(w.DiscoveryKey()).Stats(); s.Gifts+s.Unasked > 0 || s.BlocksIn != 3 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// A reader of a writer and of two others that follow it gets each block once, and from somebody when one of them is gone.
func TestTailOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, x, y, b := newNode(t, Options{}), newNode(t, Options{}), newNode(t, Options{}), newNode(t, Options{})
		w := a.writer("log", 20)
		line := testnet.Shape{Delay: oneWay}
		var readers []*core.Core
		var stops []func()
		for _, n := range []*node{x, y, b} {
			c := n.open(corestore.Key(w.Key()))
			stops = append(stops, join(a, n, line))
			mustReach(t, c, 20)
			readers = append(readers, c)
		}
		stops = append(stops, join(x, b, line), join(y, b, line))
		settled()
		var all []*follower
		for _, c := range readers {
			all = append(all, follow(t, c))
		}
		append1 := func() (took time.Duration) {
			start := time.Now()
			grow(t, w, 1)
			for _, f := range all {
				took = max(took, (<-f.came).Sub(start))
			}
			return took
		}
		for range 10 {
			append1()
			settled()
		}
		const count = 40
		before := b.set.Core(w.DiscoveryKey()).Stats()
		for range count {
			if took := append1(); took > oneWay+time.Millisecond {
				t.Errorf("it took %v", took)
			}
			settled()
		}
		after := b.set.Core(w.DiscoveryKey()).Stats()
		if n := after.BlocksIn - before.BlocksIn; n != count || after.Unasked+after.Refused > before.Unasked+before.Refused {
			t.Errorf("%d blocks came as %+v after %+v", count, after, before)
		}
		stops[2]() // the writer and b
		stops = append(stops[:2], stops[3:]...)
		for range 10 {
			append1()
			settled()
		}
		if took := append1(); took > 2*oneWay+time.Millisecond {
			t.Errorf("by another peer it took %v", took)
		}
		for _, f := range all {
			f.stop()
		}
		for _, stop := range stops {
			stop()
		}
	})
}

// While a gift with the newest head is being applied that head is asked of nobody; when it does not hold, of others at once,
// and the peer that gave it is followed no more.
func TestTailRefused(t *testing.T) {
	for name, v := range map[string]core.Verdict{
		"wrong": {Err: merkle.ErrInvalidSignature}, "overtaken": {}, "right": {Applied: true, Upgraded: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 0)
			d.s.load(core.Head{Length: 10, ByteLength: 1000}, []core.Range{{Start: 0, End: 10}}, true)
			d.s.allowPush, d.s.tails = true, true
			d.want(core.Want{Ranges: []core.Range{{Start: 10}}})
			for _, peer := range []string{"a", "b"} {
				d.join(peer, 10, core.Range{Start: 0, End: 10})
			}
			says := func(peer string, length uint64) {
				m := wire.Sync{Length: length, RemoteLength: 10, CanUpgrade: true, Uploading: true, HasManifest: true, AllowPush: true}
				d.s.sync(d.peers[peer], m)
				d.s.ranged(d.peers[peer], wire.Range{Length: length})
			}
			says("a", 11)
			for range 2 {
				for _, q := range d.asks("a") {
					d.answer("a", q)
				}
			}
			a := d.peers["a"]
			if d.asks("a"); d.s.tailer != a || !a.tail.asked || d.s.head.Length != 11 {
				t.Fatalf("asked %v at %v", a.tail.asked, d.s.head)
			}
			gift := &merkle.Proof{Upgrade: &merkle.UpgradeProof{Start: 11, Length: 1}, Block: &merkle.BlockProof{Index: 11, Value: make([]byte, 100)}}
			if _, o := d.s.data(a, gift, 200, d.now); o != takeGift {
				t.Fatal("it is not taken")
			}
			credit := a.credit
			says("a", 12)
			says("b", 12)
			if q := append(d.asks("a"), d.asks("b")...); len(q) > 0 {
				t.Fatalf("asks for %+v while it is being applied", q[0])
			}
			d.s.dirty = false
			if v.Upgraded {
				d.s.changed(core.Change{Head: core.Head{Length: 12, ByteLength: 1200}, Have: []core.Range{{Start: 11, End: 12}}})
			}
			d.s.given(a, &arrival{proof: gift, size: 200}, v, d.now)
			switch q := append(d.asks("b"), d.asks("a")...); {
			case v.Upgraded:
				if len(q) > 0 || d.s.tailer != a || a.credit != credit+200 {
					t.Errorf("asks for %+v; %d of credit, %d before it came", q, a.credit, credit+200)
				}
			case len(q) == 0 || q[0].Upgrade == nil || q[0].Upgrade.Length != 1 || !d.s.dirty:
				t.Errorf("asks for %+v, others are to be looked at: %v", q, d.s.dirty)
			case v.Err != nil && (d.s.tailer == a || a.tail.asked || a.credit != credit):
				t.Errorf("it is still followed, with %d of credit", a.credit)
			}
		})
	}
}
