package datastore

import (
	"context"
	"sync"
	"time"
)

// syncer brings commits to stable storage that were not durable when they were made, and tells who waits for that. It
// runs at most one sync at a time, in a goroutine that lives no longer than there is something to do.
type syncer struct {
	sync  func() error      // of the engine
	fail  func(error) error // makes the store read-only
	every time.Duration
	limit int64

	mu       sync.Mutex // guards the fields below
	ended    sync.Cond  // running has become false
	last     uint64     // number of the last commit
	synced   uint64     // and of the last one that is on stable storage
	unsynced int64      // bytes of the commits between
	waiting  []waiter   // by ascending commit
	timer    *time.Timer
	armed    bool
	running  bool
	closed   bool
	err      error // of a sync

	deliver sync.Mutex // held while waiters are told, so that they are told in order
}

// waiter is told when commit is on stable storage, or with the error why it will not be.
type waiter struct {
	commit uint64
	tell   func(error)
}

func (s *syncer) init(sync func() error, fail func(error) error, o Options) {
	s.sync, s.fail, s.every, s.limit = sync, fail, o.SyncEvery, o.SyncBytes
	s.ended.L = &s.mu
}

// committed counts a commit of n bytes that is visible. When nothing was written there is no new commit, and onSynced
// are called when the last one is synced.
func (s *syncer) committed(n int, wrote, durable bool, onSynced []func()) {
	s.mu.Lock()
	if wrote {
		s.last++
		s.unsynced += int64(n)
	}
	if durable {
		s.synced, s.unsynced = s.last, 0
	}
	for _, fn := range onSynced {
		s.waiting = append(s.waiting, waiter{s.last, func(err error) {
			if err == nil {
				fn()
			}
		}})
	}
	ready := len(s.waiting) > 0 && s.waiting[0].commit <= s.synced
	if s.dueLocked() {
		s.startLocked()
	} else {
		s.armLocked()
	}
	s.mu.Unlock()
	if ready {
		s.tell()
	}
}

// wait returns when all commits so far are synced.
func (s *syncer) wait(ctx context.Context) error {
	s.mu.Lock()
	if s.err != nil || s.synced == s.last {
		defer s.mu.Unlock()
		return s.err
	}
	done := make(chan error, 1)
	s.waiting = append(s.waiting, waiter{s.last, func(err error) { done <- err }})
	s.startLocked()
	s.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dueLocked tells whether a sync should start without waiting for the timer.
func (s *syncer) dueLocked() bool {
	return s.synced < s.last && (s.unsynced >= s.limit || len(s.waiting) > 0 && s.waiting[len(s.waiting)-1].commit > s.synced)
}

// idle tells whether no sync runs.
func (s *syncer) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.running
}

// armLocked makes sure that a sync comes after s.every.
func (s *syncer) armLocked() {
	switch {
	case s.armed || s.running || s.closed || s.every < 0 || s.synced == s.last:
		return
	case s.timer == nil:
		s.timer = time.AfterFunc(s.every, s.elapsed)
	default:
		s.timer.Reset(s.every)
	}
	s.armed = true
}

func (s *syncer) elapsed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	s.startLocked()
}

func (s *syncer) startLocked() {
	if s.running || s.closed || s.err != nil || s.synced == s.last {
		return
	}
	s.running = true
	go s.run()
}

// run syncs until nothing is due. A commit made during a sync rides on the next one.
func (s *syncer) run() {
	for again := true; again; {
		again = s.once()
		s.tell()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	if s.dueLocked() {
		s.startLocked() // came between once and here
	} else {
		s.armLocked()
	}
	s.ended.Broadcast()
}

// once runs one sync and tells whether another one is due.
func (s *syncer) once() (again bool) {
	s.mu.Lock()
	upTo, bytes := s.last, s.unsynced
	s.mu.Unlock()
	err := s.sync()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.err = s.fail(err)
		return false
	}
	if upTo > s.synced { // no durable commit has overtaken us
		s.synced = upTo
		s.unsynced -= bytes
	}
	return s.dueLocked() && !s.closed
}

// tell calls the waiters whose commits are synced, or all when a sync failed.
func (s *syncer) tell() {
	s.deliver.Lock()
	defer s.deliver.Unlock()
	s.mu.Lock()
	n, err := 0, s.err
	for n < len(s.waiting) && (err != nil || s.waiting[n].commit <= s.synced) {
		n++
	}
	ready := s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	s.mu.Unlock()
	for _, w := range ready {
		w.tell(err)
	}
}

// close waits for a sync that runs. Then it syncs the rest and tells those who wait for it; in a store that has failed it
// returns failed instead, when there is a rest. No commit may be made any more.
func (s *syncer) close(failed error) error {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	for s.running {
		s.ended.Wait()
	}
	last, rest, err := s.last, s.synced < s.last, s.err
	s.mu.Unlock()
	if err != nil || !rest {
		return err
	}
	if failed != nil {
		return failed
	}
	err = s.sync()
	s.mu.Lock()
	if err != nil {
		s.err = s.fail(err)
	} else {
		s.synced, s.unsynced = last, 0
	}
	err = s.err
	s.mu.Unlock()
	s.tell()
	return err
}
