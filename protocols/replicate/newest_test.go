package replicate

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/internal/testnet"
	"github.com/hypernode/hypernode/protocols/wire"
)

// waits tells whether a want is not fulfilled, after looking for what is late at a time from now.
func (d *desk) waits(w *want, after time.Duration) bool {
	d.tick(after)
	_, waits := d.s.wants[w]
	return waits
}

// How long a want of the newest head waits, and for whom.
func TestNewest(t *testing.T) {
	const soon = headPatience / 2
	tests := []struct {
		name string
		run  func(d *desk)
	}{
		{"not for whom nobody is", func(d *desk) {
			if w := d.want(core.Want{Head: true}); d.waits(w, 0) {
				d.t.Error("it waits")
			}
		}},
		{"not for one that has no more", func(d *desk) {
			d.join("a", 10)
			if w := d.want(core.Want{Head: true}); d.waits(w, 0) {
				d.t.Error("it waits")
			}
		}},
		{"not for ever for a channel that is not opened", func(d *desk) {
			d.s.expect(newPeer())
			w := d.want(core.Want{Head: true})
			if !d.waits(w, 0) || !d.waits(w, soon) || d.waits(w, soon) {
				d.t.Error("it waits for shorter or longer")
			}
		}},
		{"nor for one that says nothing", func(d *desk) {
			p := newPeer()
			d.s.expect(p)
			w := d.want(core.Want{Head: true})
			d.waits(w, 0)
			d.pass(soon)
			d.s.join(p)
			d.waits(w, 0)
			if !d.waits(w, soon) || d.waits(w, soon) {
				d.t.Error("it waits for shorter or longer")
			}
		}},
		{"nor for one that claims a head and does not give it", func(d *desk) {
			p := d.join("a", 20)
			w := d.want(core.Want{Head: true})
			d.asks("a")
			d.waits(w, 0)
			d.waits(w, soon)
			d.s.sync(p, wire.Sync{Length: 30, RemoteLength: 10, CanUpgrade: true, Uploading: true, HasManifest: true})
			if !d.waits(w, soon-1) || d.waits(w, 1) {
				d.t.Error("it waits for shorter or longer")
			}
		}},
		{"on for one that comes nearer to it", func(d *desk) {
			p := d.join("a", 20)
			w := d.want(core.Want{Head: true})
			d.waits(w, 0)
			for n := uint64(20); n < 60; n += 10 {
				q := d.asks("a")
				if len(q) != 1 || !d.waits(w, soon) {
					d.t.Fatalf("it does not wait; asked %+v", q)
				}
				d.s.sync(p, wire.Sync{Length: n + 10, RemoteLength: n - 10, CanUpgrade: true, Uploading: true, HasManifest: true})
				d.answer("a", q[0])
				d.waits(w, 0)
			}
			if d.waits(w, soon); d.waits(w, soon) {
				d.t.Error("it waits for longer")
			}
		}},
		{"not for those that come later", func(d *desk) {
			d.join("a", 20)
			w := d.want(core.Want{Head: true})
			q := d.asks("a")
			d.s.expect(newPeer())
			d.join("b", 30)
			d.answer("a", q[0])
			if d.waits(w, 0) {
				d.t.Error("it waits")
			}
		}},
		{"for one that was mute again when it has spoken", func(d *desk) {
			p := d.join("a", 20)
			w := d.want(core.Want{Head: true})
			q := d.asks("a")
			d.waits(w, 0)
			if d.waits(w, headPatience) || !p.mute {
				d.t.Fatal("it waits")
			}
			d.answer("a", q[0])
			if p.mute {
				d.t.Error("the peer is mute")
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(newDesk(t, 10)) })
	}
}

// A peer that opens the channel and says nothing keeps nobody from learning the head of another one.
func TestMutePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newNode(t, Options{}), newNode(t, Options{})
		w := a.writer("log", 7)
		r := b.open(corestore.Key(w.Key()))
		mute := &liar{t: t, core: w, in: make(chan []byte, 1), closed: make(chan struct{}), lied: true}
		mute.in <- opening(1, w.Key())
		done := make(chan error, 1)
		go func() { done <- b.set.Serve(t.Context(), mute, b.store.Find) }()
		synctest.Wait()
		stop := join(a, b, testnet.Shape{Delay: 10 * time.Millisecond})
		time.Sleep(time.Second)
		start := time.Now()
		if err := r.Update(t.Context()); err != nil || r.Head().Length != 7 {
			t.Errorf("%v, %v", r.Head(), err)
		}
		if took := time.Since(start); took < headPatience || took > headPatience+time.Second {
			t.Errorf("the head is given up for after %v", took)
		}
		stop()
		mute.Close()
		<-done
	})
}
