package replicate

import (
	"slices"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
)

// What is done about answers that are late, case by case.
func TestLate(t *testing.T) {
	all := core.Range{Start: 0, End: 10}
	tests := []struct {
		name string
		run  func(d *desk)
	}{
		{"a position is asked of others when a peer is silent", func(d *desk) {
			for _, name := range []string{"a", "b", "c"} {
				d.join(name, 10, all)
			}
			w := d.want(core.Want{Seek: &core.SeekWant{Bytes: 500}})
			for _, name := range []string{"a", "b", "c"} {
				if q := d.asks(name); len(q) != 1 || q[0].Seek == nil {
					d.t.Fatalf("%s is asked %+v", name, q)
				}
				for _, other := range []string{"a", "b", "c"} {
					if q := d.asks(other); len(q) > 0 {
						d.t.Fatalf("%s is asked %+v too", other, q)
					}
				}
				d.tick(newSlow)
			}
			if q := slices.Concat(d.asks("a"), d.asks("b"), d.asks("c")); len(q) > 0 {
				d.t.Fatalf("asked twice of one peer: %+v", q)
			}
			for a := range d.peers["b"].heads {
				d.answer("b", a.request)
			}
			if !w.found || len(d.s.wants) > 0 {
				d.t.Error("the want is left")
			}
		}},
		{"hedged when silent", func(d *desk) {
			d.join("a", 10, all)
			d.join("b", 10, all)
			d.want(core.Want{Ranges: []core.Range{{Start: 0, End: 2}}})
			d.expect("a", 0, 1)
			d.tick(newSlow / 2)
			d.expect("b")
			d.tick(newSlow)
			d.expect("b", 0, 1)
			d.tick(newSlow)
			d.expect("a") // it is silent
		}},
		{"hedged with one that was late and is asked for nothing", func(d *desk) {
			a := d.join("a", 10, all)
			d.join("c", 10, all)
			d.want(core.Want{Ranges: []core.Range{{Start: 0, End: 2}}})
			d.expect("a", 0, 1)
			d.tick(newSlow)
			for _, q := range d.asks("c") {
				d.answer("c", q)
			}
			d.asks("a") // it is told to cancel
			if len(a.asks) > 0 {
				d.t.Fatalf("a is still asked for %d", len(a.asks))
			}
			d.s.leave(d.peers["c"])
			d.join("b", 10, all)
			d.want(core.Want{Ranges: []core.Range{one(5)}})
			d.expect("b", 5)
			d.tick(newSlow)
			d.expect("a", 5)
		}},
		{"hedged with one that gives blocks", func(d *desk) {
			for _, name := range []string{"a", "b", "c"} {
				d.join(name, 10, all)
			}
			d.want(core.Want{Ranges: []core.Range{{Start: 0, End: 2}}})
			d.expect("a", 0, 1)
			d.want(core.Want{Ranges: []core.Range{{Start: 2, End: 4}}})
			for _, q := range d.asks("c") {
				d.answer("c", q)
			}
			d.peers["b"].pace.trip = time.Millisecond // by something else than a block
			d.tick(newSlow)
			d.expect("b")
			d.expect("c", 0, 1)
		}},
		{"hedged with twice as many each time", func(d *desk) {
			var names []string
			for i := range 9 {
				names = append(names, string(rune('a'+i)))
				d.join(names[i], 10, all)
			}
			d.want(core.Want{Ranges: []core.Range{one(5)}})
			d.expect("a", 5)
			asked := 1
			for _, want := range []int{2, 4, 8, 9} {
				d.tick(newSlow)
				for _, name := range names {
					got, _ := d.blocks(name)
					asked += len(got)
				}
				if asked != want || d.s.flying[5] != want {
					d.t.Fatalf("asked of %d, want %d", asked, want)
				}
			}
		}},
		{"hedged with one that is late with nothing", func(d *desk) {
			for _, name := range []string{"a", "b", "c"} {
				p := d.join(name, 10, all)
				d.want(core.Want{Ranges: []core.Range{one(uint64(len(d.peers)))}})
				for _, q := range d.asks(name) {
					d.answer(name, q)
				}
				if !p.gives() {
					d.t.Fatalf("%s does not give", name)
				}
			}
			for i, name := range []string{"a", "b"} {
				d.want(core.Want{Ranges: []core.Range{one(uint64(5 + i))}})
				d.expect(name, uint64(5+i))
			}
			d.tick(newSlow)
			d.expect("a")
			d.expect("b")
			d.expect("c", 5, 6)
			if d.peers["a"].gives() || d.peers["b"].gives() {
				d.t.Error("who is late gives")
			}
			d.s.changed(core.Change{Head: d.s.head, Have: []core.Range{{Start: 5, End: 7}}})
			if !d.peers["a"].gives() || !d.peers["b"].gives() {
				d.t.Error("who was late owes nothing")
			}
		}},
		{"not hedged while it answers", func(d *desk) {
			d.join("a", 10, all)
			d.join("b", 10, all)
			d.want(core.Want{Ranges: []core.Range{{Start: 0, End: 8}}})
			q := d.asks("a")
			for range 7 {
				d.pass(newSlow / 2)
				d.answer("a", q[0])
				q = q[1:]
				d.tick(time.Millisecond)
				d.expect("b")
			}
		}},
		{"hedged when it is passed over", func(d *desk) {
			d.join("a", 10, all)
			d.want(core.Want{Ranges: []core.Range{one(7)}})
			d.expect("a", 7)
			d.join("b", 10, all)
			for i := range uint64(6) {
				d.pass(minSlow / 2)
				d.want(core.Want{Ranges: []core.Range{one(i)}})
				q := d.asks("a")
				if len(q) != 1 {
					d.t.Fatalf("a is asked %+v", q)
				}
				d.answer("a", q[0])
				d.tick(time.Millisecond)
				if got, _ := d.blocks("b"); len(got) > 0 {
					if got[0] != 7 || len(got) != 1 || i == 0 {
						d.t.Errorf("b is asked for %v", got)
					}
					return
				}
			}
			d.t.Error("nobody else is asked")
		}},
		{"another is asked for a head that is passed over", func(d *desk) {
			d.join("a", 20, all)
			d.want(core.Want{Ranges: []core.Range{one(7)}})
			for _, q := range d.asks("a") {
				if q.Block != nil {
					d.answer("a", q)
				}
			}
			d.join("b", 20, all)
			for i := range uint64(6) {
				d.pass(newSlow / 2)
				d.want(core.Want{Ranges: []core.Range{one(i)}})
				for _, q := range d.asks("a") {
					d.answer("a", q)
				}
				d.tick(time.Millisecond)
				if q := d.asks("b"); len(q) > 0 {
					if len(q) > 1 || q[0].Upgrade == nil {
						d.t.Errorf("b is asked %+v", q)
					}
					return
				}
			}
			d.t.Error("nobody else is asked")
		}},
		{"the answer that comes first counts", func(d *desk) {
			a := d.join("a", 10, all)
			d.join("b", 10, all)
			w := d.want(core.Want{Blocks: []uint64{3}})
			first := d.asks("a")
			d.tick(newSlow)
			second := d.asks("b")
			if len(first) != 1 || len(second) != 1 {
				d.t.Fatalf("%v, %v", first, second)
			}
			d.answer("b", second[0])
			if m, ok := d.s.next(a, d.now); !ok || m.cancel == nil || m.cancel.Request != first[0].ID {
				d.t.Errorf("the request is not cancelled: %+v", m)
			}
			if w.left > 0 || len(d.s.flying) > 0 {
				d.t.Errorf("%d blocks are left, %v are under way", w.left, d.s.flying)
			}
		}},
		{"an upgrade that is late and overtaken is asked for again", func(d *desk) {
			d.join("a", 30)
			d.join("b", 20)
			late := d.asks("a")
			d.tick(newcomer)
			other := d.asks("b")
			if len(late) != 1 || len(other) != 1 {
				d.t.Fatalf("%v, %v", late, other)
			}
			d.answer("b", other[0])
			d.answer("a", late[0])
			if q := d.asks("a"); len(q) != 1 || q[0].Upgrade == nil || q[0].Upgrade.Start != 20 {
				d.t.Errorf("a is asked %+v", q)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(newDesk(t, 10)) })
	}
}
