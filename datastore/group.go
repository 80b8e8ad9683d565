package datastore

import (
	"errors"
	"fmt"
)

// errExited is what an Update returns whose closure, or the closure of one in the same group, ended its goroutine.
var errExited = errors.New("datastore: a closure ended its goroutine instead of returning")

// group is a set of updates that one commit carries. There is one for each DB; it belongs to the leader.
type group struct {
	db       *DB
	pending  pending
	requests []*request // that the commit carries
	rest     []*request // that came out with an error of their own
	durable  bool
	batch    Batch // of pending, for the engine

	reader Reader // the state before the group, opened by the first read
	blocks BlockReader
}

// lead runs r and those who wait behind it, commits, and hands the lead on.
func (db *DB) lead(r *request) {
	g, finished := &db.group, false
	defer func() {
		if !finished { // a closure called runtime.Goexit and takes this goroutine with it
			g.settle(errExited)
		}
		g.release(r)
		db.queue.pass()
	}()
	for next := r; next != nil; next = db.queue.next() {
		g.run(next)
		if g.full() {
			break
		}
	}
	g.commit()
	finished = true
}

func (g *group) full() bool {
	return len(g.requests)+len(g.rest) >= maxGroup || g.pending.bytes >= maxGroupBytes || len(g.pending.ranges) >= maxRanges
}

// run runs the closure of r and takes its writes into the group, or none of them.
func (g *group) run(r *request) {
	mark := g.pending.mark()
	g.rest = append(g.rest, r) // until its writes are taken
	if r.err = r.ctx.Err(); r.err != nil {
		return
	}
	r.tx = Tx{db: g.db, group: g, reader: g.reader, blocks: g.blocks}
	g.call(r)
	if r.err == nil {
		r.err = r.tx.err
	}
	if r.err == nil {
		r.err = g.db.space.admit(g.pending.since(mark))
	}
	if r.err != nil || r.panicked != nil {
		g.pending.rollback(mark)
		return
	}
	g.rest = g.rest[:len(g.rest)-1]
	g.requests = append(g.requests, r)
	g.durable = g.durable || g.db.options.Durability == Full && !r.tx.lazy && len(g.pending.ops) > mark.ops
}

// call runs the closure. A panic is kept for the goroutine that Update was called in.
func (g *group) call(r *request) {
	defer r.tx.end()
	defer func() {
		if p := recover(); p != nil {
			r.panicked = p
		}
	}()
	r.err = r.fn(&r.tx)
}

// commit makes the group's writes visible, then runs what was left with OnCommit, in order.
func (g *group) commit() {
	g.closeReader()
	if len(g.requests) == 0 {
		return
	}
	if len(g.pending.ops) > 0 {
		if err := g.write(); err != nil {
			g.settle(err)
			return
		}
	}
	var synced []func()
	for _, r := range g.requests {
		synced = append(synced, r.committed()...)
	}
	g.db.syncs.committed(g.pending.bytes, len(g.pending.ops) > 0, g.durable, synced)
}

// write gives the group's writes to the engine. A sync that fails beside a durable commit may have failed for what the
// commit was to cover, so the commit is not acknowledged then.
func (g *group) write() error {
	if err := g.db.Err(); err != nil {
		return err
	}
	g.batch = Batch{Ops: g.pending.ops, Bytes: g.pending.bytes, Awaited: g.awaited()}
	if err := g.db.engine.Commit(&g.batch, g.durable); err != nil {
		return g.db.commitError(fmt.Errorf("committing: %w", err))
	}
	if g.durable {
		return g.db.Err()
	}
	return nil
}

// awaited tells whether a sync begins as soon as the group is committed. Beside one that runs nothing is gained by haste.
func (g *group) awaited() bool {
	if g.durable {
		return false
	}
	for _, r := range g.requests {
		if len(r.tx.onSynced) > 0 {
			return g.db.syncs.idle()
		}
	}
	return false
}

// committed runs the functions given to OnCommit and returns those given to OnSynced.
func (r *request) committed() []func() {
	defer func() {
		if p := recover(); p != nil {
			r.panicked = p
		}
	}()
	for _, fn := range r.tx.onCommit {
		fn()
	}
	return r.tx.onSynced
}

// settle fails every update that has no error of its own yet.
func (g *group) settle(err error) {
	for _, list := range [2][]*request{g.requests, g.rest} {
		for _, r := range list {
			if r.err == nil {
				r.err = err
			}
		}
	}
}

// release empties the group and lets all callers but the leader go on.
func (g *group) release(leader *request) {
	g.closeReader()
	g.batch = Batch{}
	g.pending.reset()
	for _, list := range [2][]*request{g.requests, g.rest} {
		for _, r := range list {
			if r != leader {
				r.turn <- false
			}
		}
		clear(list)
	}
	g.requests, g.rest, g.durable = g.requests[:0], g.rest[:0], false
}

func (g *group) closeReader() {
	if g.reader != nil {
		g.reader.Close()
	}
	g.reader, g.blocks = nil, nil
}
