package replicate

import (
	"context"
	"time"
)

// An answer is applied by another goroutine than the one that reads, so that this may go on, and in groups. To hand it over takes
// a good part of the time that it takes to apply one, though. So an answer that somebody waits for and that comes alone, when
// there is nothing else to do, is applied by the goroutine that reads.
const (
	// pressingBytes is the largest answer that is applied so.
	pressingBytes = 64 << 10

	// pressingTime is how long that may take. When it took longer, because the store was busy, the goroutine that reads does not
	// do it for pressingPause: others want to be heard.
	pressingTime  = 2 * time.Millisecond
	pressingPause = time.Second
)

// handOn takes answers of one frame to be applied; one that came alone waits for the end of its frame.
func (st *stream) handOn(l *link, list []arrival) {
	if l.direct.Load() { // this is not the goroutine that reads
		st.inbox.put(list)
		return
	}
	g := &st.gathered
	if len(g.alone) == 0 && len(list) == 1 {
		g.alone = list
		return
	}
	st.inbox.put(g.alone)
	st.inbox.put(list)
	g.alone = nil
}

// endFrame hands on what was gathered of a frame.
func (st *stream) endFrame(ctx context.Context) error {
	if err := st.settle(); err != nil {
		return err
	}
	g := &st.gathered
	list := g.alone
	if g.alone = nil; len(list) == 0 {
		return nil
	}
	if done, err := st.applyHere(ctx, list); done {
		return err
	}
	st.inbox.put(list)
	return nil
}

// applyHere applies an answer, unless it is to take its turn.
func (st *stream) applyHere(ctx context.Context, list []arrival) (done bool, err error) {
	if !st.pressing(&list[0]) || !st.applying.tryTake() {
		return false, nil
	}
	defer st.applying.pass()
	begun := time.Now()
	if begun.Before(st.gathered.pause) || !st.inbox.empty() {
		return false, nil
	}
	err = passing(list[0].link.replicator.apply(ctx, list))
	if end := time.Now(); end.Sub(begun) > pressingTime {
		st.gathered.pause = end.Add(pressingPause)
	}
	return true, err
}

// pressing tells whether somebody waits for an answer, and nothing else of this peer is under way, on which it might rest.
func (st *stream) pressing(a *arrival) bool {
	waits := a.ask != nil && a.ask.request.Priority > 0 || a.gift && a.proof.Upgrade != nil
	return waits && a.size <= pressingBytes && st.asks.Load() == 0 && st.mux.Buffered() == 0
}

// baton is held by one goroutine at a time. It is a channel and no mutex since it is waited for while others wait for the store,
// which testing/synctest takes for standing still.
type baton chan struct{}

func (b baton) take() { b <- struct{}{} }
func (b baton) pass() { <-b }

func (b baton) tryTake() bool {
	select {
	case b <- struct{}{}:
		return true
	default:
		return false
	}
}
