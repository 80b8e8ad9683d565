package replicate

import (
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
)

// Answers that somebody waits for are applied before others, unless they rest on those; and then others in small groups.
func TestInboxUrgent(t *testing.T) {
	var b inbox
	b.init()
	l := &link{replicator: &Replicator{}}
	answer := func(priority uint64, predicted bool, size int) arrival {
		a := &ask{request: &merkle.Request{Priority: priority}, predicted: predicted}
		return arrival{link: l, ask: a, proof: &merkle.Proof{}, size: size}
	}
	gift := arrival{link: l, proof: &merkle.Proof{}, gift: true, size: 1}
	b.put([]arrival{answer(0, false, hastyGroup), answer(1, true, 7), gift, answer(1, false, 3), answer(0, false, maxGroup)})
	b.put([]arrival{answer(1, false, 4)})
	var got []int
	for list := b.take(hastyGroup); len(list) > 0; list = b.take(hastyGroup) {
		for _, a := range list {
			got = append(got, a.size)
		}
		got = append(got, 0)
	}
	want := []int{3, 4, 0, hastyGroup, 0, 7, 1, maxGroup, 0}
	if len(got) != len(want) {
		t.Fatalf("taken %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("taken %v, want %v", got, want)
		}
	}
	if b.bytes != 0 {
		t.Errorf("%d bytes are left", b.bytes)
	}
}

// While something urgent is asked for, of whatever core of the stream, and a moment longer, less bulk is under way.
func TestHaste(t *testing.T) {
	d := newDesk(t, 10)
	d.s.head = core.Head{Length: 1000, ByteLength: 1000 << 16}
	p := d.join("a", 1000, core.Range{Start: 0, End: 1000})
	p.pace = pace{trip: time.Millisecond, usual: time.Millisecond, rate: 300 << 20}
	d.want(core.Want{Ranges: []core.Range{{Start: 0, End: 1000}}})
	calm := len(d.asks("a"))
	if n := calm << 16; n < 5<<20 || n > 8<<20 {
		t.Errorf("%d bytes are asked for", n)
	}
	d.s.leave(p)
	p = d.join("a", 1000, core.Range{Start: 0, End: 1000})
	p.pace = pace{trip: time.Millisecond, usual: time.Millisecond, rate: 300 << 20}
	p.haste.begin(d.now) // for another core
	if n := len(d.asks("a")) << 16; n < minWindow/2 || n > 2*minWindow {
		t.Errorf("%d bytes are asked for in haste", n)
	}
	p.haste.end()
	if n := len(d.asks("a")); n > 0 {
		t.Errorf("%d blocks are asked for at once", n)
	}
	d.pass(hasteTime)
	if n := len(d.asks("a")) << 16; n < 3<<20 {
		t.Errorf("%d bytes are asked for afterwards", n)
	}
	d.want(core.Want{Blocks: []uint64{999}, Priority: 1})
	if d.asks("a"); !p.haste.is(d.now.Add(time.Hour)) {
		t.Error("a get is no haste")
	}
	for _, a := range p.all() {
		d.s.drop(p, a)
	}
	if p.haste.is(d.now.Add(time.Hour)) {
		t.Error("it does not end")
	}
}
