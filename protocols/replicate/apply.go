package replicate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Answers that came before others that they rest on wait for those: maxParked of one peer and core, for parkTime.
const (
	maxParked = 256
	parkTime  = time.Second
)

// apply gives answers of one stream to the core and tells the scheduler what became of them. Those that are out of order wait
// for the ones that come next. When the store takes nothing, all that is wanted fails: peers would send it again and again.
func (r *Replicator) apply(ctx context.Context, list []arrival) error {
	all := unpark(list)
	slices.SortStableFunc(all, func(a, b arrival) int { return a.rank() - b.rank() })
	for list = all; len(list) > 0; {
		early, progress, err := r.applyOnce(ctx, list)
		if err != nil {
			return err
		}
		if list = early; !progress {
			r.park(early)
			break
		}
	}
	for i := range all {
		if l := all[i].link; i == 0 || l != all[i-1].link {
			r.step(l, false, func(*scheduler) {})
		}
	}
	return nil
}

// rank puts answers that lead to a head before those that may rest on it: peers answer in any order.
func (a *arrival) rank() int {
	if a.proof.Upgrade != nil || a.proof.Manifest != nil {
		return 0
	}
	return 1
}

// applyOnce returns the answers that came too early, and whether any was of use.
func (r *Replicator) applyOnce(ctx context.Context, list []arrival) (early []arrival, progress bool, err error) {
	proofs := make([]*merkle.Proof, len(list))
	for i := range list {
		proofs[i] = list[i].proof
	}
	verdicts, err := r.core.Apply(ctx, proofs...)
	now := time.Now()
	r.mu.Lock()
	if refuses(err) {
		r.failLocked(err)
	}
	if verdicts == nil {
		verdicts = make([]core.Verdict, len(list))
	}
	for i, v := range verdicts {
		if a := &list[i]; err == nil && a.early(v) {
			early = append(early, *a)
		} else {
			progress = progress || v.Applied
			r.verdictLocked(a, v, now)
			if err == nil {
				a.release(v)
			}
		}
	}
	news := r.newsLocked()
	r.mu.Unlock()
	r.tell(news)
	return early, progress, err
}

// refuses tells whether an error of a core is that of a store that takes nothing.
func refuses(err error) bool {
	return errors.Is(err, datastore.ErrNoSpace) || errors.Is(err, datastore.ErrStoreFailed) || errors.Is(err, datastore.ErrReadOnly)
}

func (r *Replicator) verdictLocked(a *arrival, v core.Verdict, now time.Time) {
	r.countLocked(a, v)
	if a.gift {
		r.sched.given(a.link.peer, a, v, now)
		return
	}
	r.sched.verdict(a.link.peer, a.ask, v, now)
}

// early tells whether an answer may fit the tree later.
func (a *arrival) early(v core.Verdict) bool {
	a.err = v.Err
	return a.ask != nil && a.ask.predicted && !a.ask.settled && errors.Is(v.Err, merkle.ErrInvalidOperation)
}

// park keeps answers that came too early as long as more is to come.
func (r *Replicator) park(early []arrival) {
	now := time.Now()
	r.mu.Lock()
	for i := range early {
		a, l := &early[i], early[i].link
		if a.since.IsZero() {
			a.since = now
		}
		if len(l.peer.asks)+len(l.peer.heads) > 0 && len(l.parked) < maxParked && now.Sub(a.since) < parkTime {
			l.parked = append(l.parked, *a)
		} else {
			r.verdictLocked(a, core.Verdict{Err: a.err}, now)
		}
	}
	news := r.newsLocked()
	r.mu.Unlock()
	r.tell(news)
}

// unpark adds what waits on the links of a list to its end.
func unpark(list []arrival) []arrival {
	for _, a := range list {
		if len(a.link.parked) > 0 {
			list = append(list, a.link.parked...)
			a.link.parked = nil
		}
	}
	return list
}

// retryParked applies what has waited since the last tick.
func (l *link) retryParked(ctx context.Context) error {
	if len(l.parked) == 0 {
		return nil
	}
	list := l.parked
	l.parked = nil
	return passing(l.replicator.apply(ctx, list))
}

func (r *Replicator) countLocked(a *arrival, v core.Verdict) {
	c := a.link.countersLocked()
	switch b := a.proof.Block; {
	case v.Err != nil:
		c.Refused++
	case b != nil && v.Applied:
		c.BlocksIn++
		c.BytesIn += uint64(len(b.Value))
		if a.gift {
			c.Gifts++
		}
	}
}
