package replicate

import (
	"slices"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/bitfield"
	"github.com/hypernode/hypernode/protocols/wire"
)

// desk is a scheduler whose events a test makes, and whose actions it holds against a list.
type desk struct {
	t     *testing.T
	s     *scheduler
	now   time.Time
	peers map[string]*peer
}

func newDesk(t *testing.T, length uint64) *desk {
	d := &desk{t: t, s: newScheduler(), now: time.Unix(1000, 0), peers: map[string]*peer{}}
	d.s.load(core.Head{Length: length, ByteLength: 100 * length}, nil, length > 0)
	return d
}

// join lets a peer of a length come, which has announced ranges of blocks. What it is told at first is left out.
func (d *desk) join(name string, length uint64, have ...core.Range) *peer {
	p := newPeer()
	d.peers[name] = p
	d.s.expect(p)
	d.s.join(p)
	d.s.sync(p, wire.Sync{Length: length, RemoteLength: d.s.head.Length, CanUpgrade: true, Uploading: true, HasManifest: true})
	for _, r := range have {
		d.s.ranged(p, wire.Range{Start: r.Start, Length: r.End - r.Start})
	}
	return p
}

func (d *desk) want(w core.Want) *want {
	n := newWant(w)
	d.s.add(n)
	return n
}

// asks returns the requests to a peer that the scheduler has now; other messages are left out.
func (d *desk) asks(name string) (list []*merkle.Request) {
	for {
		m, ok := d.s.next(d.peers[name], d.now)
		if !ok {
			return list
		}
		if m.request != nil {
			list = append(list, m.request)
		}
	}
}

// blocks takes the requests to a peer, and returns the blocks that they ask for and how many are urgent.
func (d *desk) blocks(name string) (list []uint64, urgent int) {
	for _, q := range d.asks(name) {
		if q.Block != nil {
			list = append(list, q.Block.Index)
			urgent += int(q.Priority)
		}
	}
	return list, urgent
}

// answer lets a peer answer, and the core take it.
func (d *desk) answer(name string, q *merkle.Request) {
	d.t.Helper()
	ch := core.Change{Head: d.s.head}
	v := core.Verdict{Applied: true}
	if q.Block != nil {
		ch.Have = []core.Range{{Start: q.Block.Index, End: q.Block.Index + 1}}
	}
	if u := q.Upgrade; u != nil && u.Start == d.s.head.Length {
		ch.Head.Length, v.Upgraded = u.Start+u.Length, true
	}
	a := d.come(name, q)
	d.s.changed(ch)
	d.s.verdict(d.peers[name], a, v, d.now)
}

// come lets a peer's answer come, which the core has not taken yet.
func (d *desk) come(name string, q *merkle.Request) *ask {
	d.t.Helper()
	proof := &merkle.Proof{Request: q.ID, Fork: q.Fork}
	if q.Block != nil {
		proof.Block = &merkle.BlockProof{Index: q.Block.Index, Value: make([]byte, 100)}
	}
	if q.Hash != nil {
		proof.Hash = &merkle.HashProof{Index: q.Hash.Index}
	}
	if u := q.Upgrade; u != nil {
		proof.Upgrade = &merkle.UpgradeProof{Start: u.Start, Length: u.Length}
	}
	if q.Manifest {
		proof.Manifest = []byte{1}
	}
	a, o := d.s.data(d.peers[name], proof, 200, d.now)
	if o != takeAnswer {
		d.t.Fatalf("the answer to %+v is not taken", q)
	}
	return a
}

func (d *desk) pass(t time.Duration) { d.now = d.now.Add(t) }

func (d *desk) tick(t time.Duration) {
	d.pass(t)
	d.s.tick(d.now)
}

// expect holds what a peer is asked for against a list. Of blocks that are urgent the order is that in which they got so.
func (d *desk) expect(name string, want ...uint64) {
	d.t.Helper()
	got, urgent := d.blocks(name)
	if urgent == len(got) {
		slices.Sort(got)
	}
	if len(got) != len(want) {
		d.t.Fatalf("%s is asked for %v, want %v", name, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			d.t.Fatalf("%s is asked for %v, want %v", name, got, want)
		}
	}
}

func one(i uint64) core.Range { return core.Range{Start: i, End: i + 1} }

// What the scheduler does with events, case by case.
func TestScheduler(t *testing.T) {
	all := core.Range{Start: 0, End: 10}
	tests := []struct {
		name string
		run  func(d *desk)
	}{
		{"no length is told without the manifest", func(d *desk) {
			d.s.load(core.Head{}, nil, false)
			told := func(length uint64) {
				d.t.Helper()
				for name, p := range d.peers {
					for m, ok := d.s.next(p, d.now); ok; m, ok = d.s.next(p, d.now) {
						if m.sync != nil && (m.sync.Length != length || m.sync.HasManifest != (length > 0)) {
							d.t.Errorf("%s is told %+v", name, *m.sync)
						}
					}
					if p.sent.Length != length || p.sent.HasManifest != (length > 0) {
						d.t.Errorf("%s was told %+v", name, p.sent)
					}
				}
			}
			d.join("a", 0)
			ahead := d.join("b", 0)
			told(0)
			if !d.s.tellsAhead(ahead, core.Head{Length: 5}) || !ahead.sent.HasManifest {
				d.t.Errorf("told ahead: %+v", ahead.sent)
			}
			d.s.changed(core.Change{Head: core.Head{Length: 5}}) // and no verdict yet
			told(5)
		}},
		{"each block of one peer", func(d *desk) {
			d.join("a", 10, all)
			d.join("b", 10, all)
			d.want(core.Want{Ranges: []core.Range{{Start: 0, End: 3}}})
			d.expect("a", 0, 1, 2)
			d.expect("b")
		}},
		{"only what was announced", func(d *desk) {
			d.join("a", 10, one(2))
			d.want(core.Want{Ranges: []core.Range{{Start: 0, End: 4}}})
			d.expect("a", 2)
			d.s.ranged(d.peers["a"], wire.Range{Start: 3, Length: 1})
			d.expect("a", 3)
		}},
		{"a get overtakes bulk", func(d *desk) {
			d.join("a", 10, all)
			d.want(core.Want{Ranges: []core.Range{all}})
			d.want(core.Want{Blocks: []uint64{7}, Priority: 1})
			if got, urgent := d.blocks("a"); len(got) != 10 || got[0] != 7 || urgent != 1 {
				d.t.Errorf("asked for %v, %d of them urgent", got, urgent)
			}
		}},
		{"a get does not wait for a full window", func(d *desk) {
			d.s.head = core.Head{Length: 10, ByteLength: 10 << 20}
			d.join("a", 10, all)
			d.want(core.Want{Ranges: []core.Range{all}})
			d.expect("a", 0)
			d.want(core.Want{Blocks: []uint64{5}, Priority: 1})
			d.expect("a", 5)
		}},
		{"again elsewhere when refused", func(d *desk) {
			d.join("a", 10, all)
			d.join("b", 10, all)
			d.want(core.Want{Blocks: []uint64{4}, Priority: 1})
			q := d.asks("a")
			d.s.noData(d.peers["a"], wire.NoData{Request: q[0].ID, Reason: wire.ReasonNotAvailable})
			d.expect("a")
			d.expect("b", 4)
		}},
		{"again elsewhere when a peer leaves", func(d *desk) {
			d.join("a", 10, all)
			d.join("b", 10, all)
			d.want(core.Want{Ranges: []core.Range{{Start: 0, End: 2}}})
			d.expect("a", 0, 1)
			d.s.leave(d.peers["a"])
			d.expect("b", 0, 1)
		}},
		{"again elsewhere when a peer leaves and its answers are lost", func(d *desk) {
			a := d.join("a", 20, all)
			d.join("b", 20, all)
			d.want(core.Want{Ranges: []core.Range{one(3)}})
			d.want(core.Want{Seek: &core.SeekWant{Bytes: 500}})
			b := d.peers["b"]
			for _, q := range d.asks("a") {
				d.come("a", q)
			}
			if q := d.asks("b"); len(q) != 0 || len(a.asks) != 0 {
				d.t.Fatalf("b is asked %+v, and a for %d more", q, len(a.asks))
			}
			d.s.leave(a)
			q := d.asks("b")
			if len(q) != 3 || q[0].Upgrade == nil || q[1].Seek == nil || q[2].Block == nil || q[2].Block.Index != 3 || len(b.heads) != 2 {
				d.t.Errorf("b is asked %+v", q)
			}
		}},
		{"again elsewhere when taken back", func(d *desk) {
			a := d.join("a", 10, all)
			d.join("b", 10, all)
			d.want(core.Want{Ranges: []core.Range{{Start: 0, End: 2}}})
			d.expect("a", 0, 1)
			d.s.ranged(a, wire.Range{Drop: true, Start: 1, Length: 1})
			d.expect("b", 1)
			if m, ok := d.s.next(a, d.now); !ok || m.cancel == nil {
				d.t.Errorf("the request is not cancelled: %+v", m)
			}
		}},
		{"one upgrade at a time", func(d *desk) {
			d.join("a", 20)
			d.join("b", 30)
			if q := d.asks("a"); len(q) != 1 || q[0].Upgrade.Start != 10 || q[0].Upgrade.Length != 10 {
				d.t.Fatalf("a is asked %+v", q)
			}
			if q := d.asks("b"); len(q) != 0 {
				d.t.Fatalf("b is asked %+v", q)
			}
		}},
		{"blocks behind the upgrade", func(d *desk) {
			d.join("a", 20, core.Range{Start: 0, End: 20})
			d.want(core.Want{Blocks: []uint64{15}, Priority: 1})
			q := d.asks("a")
			if len(q) != 2 || q[0].Upgrade == nil || q[1].Block == nil || q[1].Block.Index != 15 {
				d.t.Fatalf("asked %+v", q)
			}
			d.answer("a", q[0])
			d.answer("a", q[1])
			if len(d.s.wants) > 0 {
				d.t.Error("the want is left")
			}
		}},
		{"what nobody wants any more is not asked for", func(d *desk) {
			w := d.want(core.Want{Ranges: []core.Range{all}})
			d.want(core.Want{Ranges: []core.Range{{Start: 2, End: 3}}})
			d.s.remove(w)
			d.join("a", 10, all)
			d.expect("a", 2)
		}},
		{"who does not upload is asked for nothing", func(d *desk) {
			p := d.join("a", 20, all)
			d.s.sync(p, wire.Sync{Length: 20, CanUpgrade: true})
			d.want(core.Want{Ranges: []core.Range{all}})
			if q := d.asks("a"); len(q) > 0 {
				d.t.Errorf("asked %+v", q)
			}
		}},
		{"who drops a block that is here is told of it", func(d *desk) {
			d.s.load(core.Head{Length: 10, ByteLength: 1000}, []core.Range{{Start: 3, End: 6}}, true)
			p := d.join("a", 10, all)
			d.asks("a")
			d.s.ranged(p, wire.Range{Drop: true, Start: 4, Length: 4})
			m, ok := d.s.next(p, d.now)
			if !ok || m.ranges == nil || *m.ranges != (wire.Range{Start: 4, Length: 2}) {
				d.t.Errorf("told %+v", m)
			}
		}},
		{"who turns out not to have what it was not told of is told", func(d *desk) {
			p := d.join("a", 10, all)
			d.asks("a")
			d.s.changed(core.Change{Head: d.s.head, Have: []core.Range{one(3)}})
			if m, ok := d.s.next(p, d.now); ok {
				d.t.Fatalf("told %+v of what it has", m)
			}
			d.s.mapped(p, wire.Bitfield{Bits: []byte{0x7f, 0x03, 0, 0}})
			if m, ok := d.s.next(p, d.now); ok {
				d.t.Fatalf("told %+v, and has it", m)
			}
			d.s.mapped(p, wire.Bitfield{Bits: []byte{0x77, 0x03, 0, 0}})
			if m, ok := d.s.next(p, d.now); !ok || m.ranges == nil || *m.ranges != (wire.Range{Start: 3, Length: 1}) {
				d.t.Errorf("told %+v", m)
			}
		}},
		{"what went before the last fork is said to be gone", func(d *desk) {
			d.s.load(core.Head{Length: 10, ByteLength: 1000}, []core.Range{all}, true)
			p := d.join("a", 10)
			d.asks("a")
			d.s.changed(core.Change{Head: core.Head{Fork: 1, Length: 8}, Dropped: []core.Range{{Start: 8, End: 10}}})
			d.s.changed(core.Change{Head: core.Head{Fork: 2, Length: 6}, Dropped: []core.Range{{Start: 6, End: 8}}})
			d.s.sync(p, wire.Sync{Fork: 2, Length: 6, Uploading: true})
			var gone bitfield.Bitfield
			for m, ok := d.s.next(p, d.now); ok; m, ok = d.s.next(p, d.now) {
				if r := m.ranges; r != nil && r.Drop {
					gone.SetRange(r.Start, r.Start+r.Length, true)
				}
			}
			if n := gone.Count(0, 100); n != 4 || gone.Count(6, 10) != 4 {
				d.t.Errorf("%d blocks are said to be gone", n)
			}
		}},
		{"of very much that went nothing is left out", func(d *desk) {
			held := core.Range{Start: 0, End: 3 * maxNews}
			d.s.load(core.Head{Length: held.End, ByteLength: 1000}, []core.Range{held}, true)
			p := d.join("a", held.End)
			d.asks("a")
			var ch core.Change
			ch.Head = d.s.head
			for i := uint64(0); i < held.End; i += 2 {
				ch.Dropped = append(ch.Dropped, one(i))
			}
			d.s.changed(ch)
			if len(p.news) > maxNews {
				d.t.Errorf("%d announcements wait", len(p.news))
			}
			var gone bitfield.Bitfield
			for m, ok := d.s.next(p, d.now); ok; m, ok = d.s.next(p, d.now) {
				if r := m.ranges; r != nil {
					gone.SetRange(r.Start, r.Start+r.Length, r.Drop)
				}
			}
			for i := range held.End {
				if gone.Has(i) != (i%2 == 0) {
					d.t.Fatalf("block %d is said to be gone: %v", i, gone.Has(i))
				}
			}
		}},
		{"what came again is not said to be gone", func(d *desk) {
			d.s.load(core.Head{Length: 10, ByteLength: 1000}, []core.Range{all}, true)
			p := d.join("a", 10)
			d.asks("a")
			d.s.changed(core.Change{Head: d.s.head, Dropped: []core.Range{{Start: 2, End: 8}}})
			d.s.changed(core.Change{Head: d.s.head, Have: []core.Range{{Start: 4, End: 6}}})
			var told []wire.Range
			for m, ok := d.s.next(p, d.now); ok; m, ok = d.s.next(p, d.now) {
				told = append(told, *m.ranges)
			}
			want := []wire.Range{{Drop: true, Start: 2, Length: 2}, {Drop: true, Start: 6, Length: 2}, {Start: 4, Length: 2}}
			if len(told) != 3 || told[0] != want[0] || told[1] != want[1] || told[2] != want[2] {
				d.t.Errorf("told %+v, want %+v", told, want)
			}
		}},
		{"what has come since the caller looked is not asked for", func(d *desk) {
			d.s.load(core.Head{Length: 10, ByteLength: 1000}, []core.Range{{Start: 2, End: 5}}, true)
			d.join("a", 10, all)
			if w := d.want(core.Want{Blocks: []uint64{2, 4}, Priority: 1}); w.left > 0 {
				d.t.Errorf("%d blocks that are here are waited for", w.left)
			}
			d.want(core.Want{Ranges: []core.Range{{Start: 1, End: 7}}})
			d.want(core.Want{Blocks: []uint64{3, 8}, Priority: 1})
			d.expect("a", 8, 1, 5, 6)
		}},
		{"what is here and corrupt is asked for anew", func(d *desk) {
			d.s.load(core.Head{Length: 10, ByteLength: 1000}, []core.Range{all}, true)
			d.join("a", 10, all)
			d.want(core.Want{Blocks: []uint64{3}, Anew: true, Priority: 1})
			d.expect("a", 3)
		}},
		{"a retired peer is asked for nothing", func(d *desk) {
			d.join("a", 10, all).retired = true
			d.want(core.Want{Ranges: []core.Range{all}})
			d.expect("a")
		}},
		{"a peer over its rate is asked for what is urgent alone", func(d *desk) {
			p := d.join("a", 10, all)
			p.hold = d.now.Add(time.Second)
			d.want(core.Want{Ranges: []core.Range{all}})
			d.want(core.Want{Blocks: []uint64{8}, Priority: 1})
			d.expect("a", 8)
			d.tick(time.Second)
			d.expect("a", 0, 1, 2, 3, 4, 5, 6, 7, 9)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(newDesk(t, 10)) })
	}
}
