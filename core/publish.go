package core

import (
	"context"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// publication is what a commit changed, to be made visible and then announced.
type publication struct {
	state    *state
	held     *heldChange
	have     []Range               // came in
	dropped  []Range               // are held no longer
	cut      bool                  // blocks at and behind cutTo went
	cutTo    uint64                //
	local    bool                  // signed by this node: shown to peers once it is on stable storage
	unsafe   bool                  // it is not yet on stable storage when it gets visible, and is local
	same     bool                  // the head is as it was
	conflict *merkle.ConflictProof // was found
	fresh    *fresh                // what is kept of it
	late     bool                  // is announced once it is on stable storage
}

// update commits what fn writes and publishes p with it. The caller holds write.
//
// What this node signed is shown to peers once it is on stable storage: with full durability that is when it gets
// visible. Else a sync follows, and all that comes behind waits with it, so that the session is told in the order of the
// commits. Without a session there is nobody to tell, and no sync is asked for.
func (l *log) update(p *publication, fn func(tx *datastore.Tx) error) error {
	return l.db.Update(context.Background(), func(tx *datastore.Tx) error {
		l.publishWith(tx, p)
		return fn(tx)
	})
}

// publishWith has p published when tx is committed.
func (l *log) publishWith(tx *datastore.Tx, p *publication) {
	p.unsafe = p.local && l.db.Durability() != datastore.Full
	l.mu.Lock()
	p.late = l.session != nil && (p.unsafe || l.late > 0)
	l.mu.Unlock()
	tx.OnCommit(func() { l.publish(p) })
	if p.late {
		tx.OnSynced(func() { l.announce(p) })
	}
}

// publish makes a commit visible, wakes who waits, and tells the session, unless that must wait for a sync.
func (l *log) publish(p *publication) {
	l.mu.Lock()
	if p.cut {
		l.cuts.add(p.cutTo)
		l.endWaitsLocked()
	}
	if p.held != nil {
		l.held.apply(p.held.dropped, p.held.have)
	}
	if p.conflict != nil {
		l.info.frozen, l.conflict = true, p.conflict
	}
	shown := l.served.Load().sameHead(l.current.Load())
	l.current.Store(p.state)
	l.fresh.Store(p.fresh)
	switch {
	case p.late:
		l.late++
	case !p.unsafe && (!p.same || shown):
		l.served.Store(p.state)
	}
	l.published++
	if session := l.session; session != nil && !p.late {
		l.mu.Unlock()
		session.Changed(p.change())
		l.mu.Lock()
	}
	if !p.late {
		l.toldLocked()
	}
	l.wakeLocked() // last, so that who waits here goes on before the peers are written to
	l.mu.Unlock()
}

// announce is called when a commit that had to wait for it is on stable storage. What is committed meanwhile still waits
// behind it.
func (l *log) announce(p *publication) {
	l.mu.Lock()
	l.served.Store(p.state)
	l.wakeLocked()
	session := l.session
	l.mu.Unlock()
	if session != nil {
		session.Changed(p.change())
	}
	l.mu.Lock()
	l.late--
	l.toldLocked()
	l.mu.Unlock()
}

// toldLocked counts a publication that the session knows of.
func (l *log) toldLocked() {
	l.told++
	if l.telling != nil {
		close(l.telling)
		l.telling = nil
	}
}

// tellAll returns when the session knows of all that was published before the call: until then it may take blocks that went
// for held ones, and think that nothing is left of a want that asks for them. It fails when the store did, or when ctx ends.
func (l *log) tellAll(ctx context.Context) error {
	l.mu.Lock()
	upTo := l.published
	for l.told < upTo {
		if l.telling == nil {
			l.telling = make(chan struct{})
		}
		telling, late := l.telling, l.late > 0
		l.mu.Unlock()
		if late {
			if err := l.syncLate(ctx); err != nil {
				return err
			}
		}
		select {
		case <-telling:
		case <-ctx.Done():
			return ctx.Err()
		}
		l.mu.Lock()
	}
	l.mu.Unlock()
	return nil
}

// syncLate brings what waits for it to stable storage, or tells why that fails: then nobody is told any more.
func (l *log) syncLate(ctx context.Context) error {
	l.write.Lock() // what is published has been given to the store when its writer is done
	err := l.usable()
	l.write.Unlock()
	if err != nil {
		return err
	}
	return l.db.Sync(ctx)
}

// change is what the session is told.
func (p *publication) change() Change {
	return Change{
		Head: Head{Fork: p.state.fork, Length: p.state.length, ByteLength: p.state.byteLength},
		Have: p.have, Dropped: p.dropped, Conflict: p.conflict != nil,
	}
}

// waitChange returns a channel that is closed at the next change, and when the log is closed.
func (l *log) waitChange() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		done := make(chan struct{})
		close(done)
		return done
	}
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.changed
}

func (l *log) wakeLocked() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// beginCut is called before a commit that takes blocks away from the end, and ended after it. Between them a view may
// see the new blocks while the old head is the published one.
func (l *log) beginCut() (end func()) {
	cutting := make(chan struct{})
	l.mu.Lock()
	l.cutting = cutting
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		l.cutting = nil
		l.mu.Unlock()
		close(cutting)
	}
}

// settled waits for a cut that is under way. After a read and settled, the published state and the cuts tell whether what
// was read belongs to the state that it was read for. The one who makes the cut need not call it.
func (l *log) settled() {
	l.mu.Lock()
	cutting := l.cutting
	l.mu.Unlock()
	if cutting != nil {
		<-cutting
	}
}
