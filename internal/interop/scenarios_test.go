package interop

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

// scenario is a row of the matrix.
type scenario struct {
	name string
	run  func(c *cell)
}

func scenarios() []scenario {
	return []scenario{
		{"full download", full},
		{"sparse random", sparse},
		{"live appends", live},
		{"truncate and fork", fork},
		{"encrypted", encrypted},
		{"two of three signers", several},
		{"static core", static},
		{"compat core", compat},
		{"cleared ranges", cleared},
		{"ten cores", ten},
		{"reconnect", reconnect},
	}
}

func full(c *cell) {
	w := c.open(c.writer, Spec{Name: "log"})
	for range 3 {
		c.grow(w, 100)
	}
	r := c.copyOf(w, [32]byte{})
	c.connect()
	c.must(r.Download(c.ctx, 0, 300))
	c.same(w, r)
}

func sparse(c *cell) {
	w := c.open(c.writer, Spec{Name: "log"})
	c.grow(w, 1000)
	r := c.copyOf(w, [32]byte{})
	c.connect()
	var asked []uint64
	for _, i := range c.rand.Perm(1000)[:60] {
		asked = append(asked, uint64(i))
	}
	for _, i := range asked[:20] {
		_, err := r.Get(c.ctx, i)
		c.must(err)
	}
	errs := make([]error, len(asked))
	var gets sync.WaitGroup
	for n, i := range asked[20:] {
		gets.Go(func() { _, errs[n] = r.Get(c.ctx, i) })
	}
	gets.Wait()
	for _, err := range errs {
		c.must(err)
	}
	slices.Sort(asked)
	c.must(r.Reach(c.ctx, 0, 1000))
	c.sameWith(w, r, ranges(asked)...)
}

func live(c *cell) {
	w := c.open(c.writer, Spec{Name: "log"})
	c.grow(w, 50)
	r := c.copyOf(w, [32]byte{})
	c.connect()
	done := make(chan error, 1)
	go func() { done <- r.Download(c.ctx, 0, 300) }()
	for range 25 {
		c.grow(w, 10)
	}
	c.must(<-done)
	c.same(w, r)
}

func fork(c *cell) {
	w := c.open(c.writer, Spec{Name: "log"})
	c.grow(w, 120)
	r := c.copyOf(w, [32]byte{})
	c.connect()
	c.must(r.Download(c.ctx, 0, 120))
	for i, cut := range []struct {
		to   uint64
		grow int
	}{{70, 20}, {10, 150}, {0, 5}} {
		c.must(w.Truncate(c.ctx, cut.to))
		c.grow(w, cut.grow)
		length := cut.to + uint64(cut.grow)
		c.must(r.Reach(c.ctx, uint64(i)+1, length))
		c.must(r.Download(c.ctx, 0, length))
		c.same(w, r)
	}
}

func encrypted(c *cell) {
	key := [32]byte{1, 2, 3}
	w := c.open(c.writer, Spec{Name: "log", Encryption: key})
	c.grow(w, 60)
	r := c.copyOf(w, key)
	c.connect()
	c.must(r.Download(c.ctx, 0, 60))
	c.must(w.Truncate(c.ctx, 40))
	c.grow(w, 10)
	c.must(r.Reach(c.ctx, 1, 50))
	c.must(r.Download(c.ctx, 0, 50))
	c.same(w, r)
}

func several(c *cell) {
	w := c.open(c.writer, Spec{Signers: []keys.Seed{{1}, {2}, {3}}, Quorum: 2})
	c.grow(w, 30)
	r := c.copyOf(w, [32]byte{})
	c.connect()
	c.must(r.Download(c.ctx, 0, 30))
	c.grow(w, 15)
	c.must(r.Reach(c.ctx, 0, 45))
	c.must(w.Truncate(c.ctx, 20))
	c.grow(w, 1)
	c.must(r.Reach(c.ctx, 1, 21))
	c.must(r.Download(c.ctx, 0, 21))
	c.same(w, r)
}

func static(c *cell) {
	log := c.open(c.writer, Spec{Name: "log"})
	c.grow(log, 77)
	w, err := c.writer.Static(c.ctx, log)
	c.must(err)
	r := c.copyOf(w, [32]byte{})
	c.connect()
	c.must(r.Download(c.ctx, 0, 77))
	c.same(w, r)
}

func compat(c *cell) {
	w := c.open(c.writer, Spec{Signer: keys.Seed{9}, Compat: true})
	c.grow(w, 40)
	if s := c.state(w); s.Key != keys.Key(keys.PairFromSeed(keys.Seed{9}).Public) {
		c.t.Fatalf("the key is %s and not the signer's", s.Key)
	}
	r := c.copyOf(w, [32]byte{})
	c.connect()
	c.must(r.Download(c.ctx, 0, 40))
	c.must(w.Truncate(c.ctx, 33))
	c.grow(w, 10)
	c.must(r.Reach(c.ctx, 1, 43))
	c.must(r.Download(c.ctx, 0, 43))
	c.same(w, r)
}

// clearing is a log of 20 blocks of which some were cleared, and what a reader can get of it.
type clearing struct {
	cleared []core.Range
	fromGo  []core.Range // all that is held
	fromJS  []core.Range // what it can still prove: it drops tree nodes that blocks need which it holds
}

func clearings() []clearing {
	return []clearing{
		{
			cleared: []core.Range{{Start: 3, End: 4}},
			fromGo:  []core.Range{{Start: 0, End: 3}, {Start: 4, End: 20}},
			fromJS:  []core.Range{{Start: 4, End: 20}},
		},
		{
			cleared: []core.Range{{Start: 8, End: 12}},
			fromGo:  []core.Range{{Start: 0, End: 8}, {Start: 12, End: 20}},
			fromJS:  []core.Range{{Start: 0, End: 8}, {Start: 12, End: 20}},
		},
		{
			cleared: []core.Range{{Start: 0, End: 1}, {Start: 19, End: 20}},
			fromGo:  []core.Range{{Start: 1, End: 19}},
			fromJS:  []core.Range{{Start: 1, End: 16}},
		},
	}
}

// from returns what a source of the given make gives.
func (x clearing) from(maker string) []core.Range {
	if maker == "JS" {
		return x.fromJS
	}
	return x.fromGo
}

// unavailableAfter is how long a reader waits for a block that nobody gives.
const unavailableAfter = 700 * time.Millisecond

// cleared asks first for all that is to be had, then for the rest, which ends the stream if the source is JS: it fails when
// it is asked for what it holds and cannot prove.
func cleared(c *cell) {
	var ws, rs []Log
	for n, x := range clearings() {
		w := c.open(c.writer, Spec{Name: fmt.Sprint("log ", n)})
		c.grow(w, 20)
		for _, r := range x.cleared {
			c.must(w.Clear(c.ctx, r.Start, r.End))
		}
		ws, rs = append(ws, w), append(rs, c.copyOf(w, [32]byte{}))
	}
	c.connect()
	for _, due := range []bool{true, false} {
		var all sync.WaitGroup
		for n, x := range clearings() {
			all.Go(func() { c.askEach(rs[n], x.from(c.writer.Make()), due) })
		}
		all.Wait()
	}
	for n, x := range clearings() {
		c.sameWith(ws[n], rs[n], x.from(c.writer.Make())...)
	}
}

// askEach asks for blocks of 20 at once, each alone: those that are due, which must come, or the others, which must end in
// time and tell that nobody gave them.
func (c *cell) askEach(r Log, want []core.Range, due bool) {
	ctx, cancel := c.ctx, context.CancelFunc(func() {})
	if !due {
		ctx, cancel = context.WithTimeout(ctx, unavailableAfter)
	}
	defer cancel()
	var gets sync.WaitGroup
	for i := range uint64(20) {
		if due != slices.ContainsFunc(want, func(h core.Range) bool { return h.Start <= i && i < h.End }) {
			continue
		}
		gets.Go(func() {
			_, err := r.Get(ctx, i)
			switch {
			case due && err != nil:
				c.t.Errorf("block %d: %v", i, err)
			case !due && err == nil:
				c.t.Errorf("block %d came, which was not to be had", i)
			case !due && !r.Unavailable(err):
				c.t.Errorf("block %d failed with %v", i, err)
			}
		})
	}
	gets.Wait()
}

func ten(c *cell) {
	var ws, rs []Log
	for n := range 10 {
		w := c.open(c.writer, Spec{Name: fmt.Sprint("log ", n)})
		c.grow(w, 20+n*7)
		ws, rs = append(ws, w), append(rs, c.copyOf(w, [32]byte{}))
	}
	c.connect()
	errs := make([]error, len(rs))
	var downloads sync.WaitGroup
	for n, r := range rs {
		downloads.Go(func() { errs[n] = r.Download(c.ctx, 0, uint64(20+n*7)) })
	}
	downloads.Wait()
	for n := range rs {
		c.must(errs[n])
		c.same(ws[n], rs[n])
	}
}

// reconnect breaks the connection after about half of the bytes.
func reconnect(c *cell) {
	w := c.open(c.writer, Spec{Name: "log"})
	c.must(w.Append(c.ctx, slices.Repeat([][]byte{bytes.Repeat([]byte{7}, 2000)}, 400)...))
	r := c.copyOf(w, [32]byte{})
	dials, listens := c.ends()
	fuse, err := ConnectFused(c.ctx, c.framing, dials, listens, 400_000)
	c.must(err)
	done := make(chan error, 1)
	go func() { done <- r.Download(c.ctx, 0, 400) }()
	select {
	case <-fuse.Blown():
	case err := <-done:
		c.t.Fatalf("the download ended with %v before the connection broke", err)
	}
	closeConnection(c.t, fuse.Close)
	if s := c.state(r); len(s.Held) == 1 && s.Held[0].End == 400 {
		c.t.Fatal("all came before the connection broke")
	}
	c.connect()
	c.must(<-done)
	c.same(w, r)
}
