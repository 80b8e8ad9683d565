package replicate

import "github.com/hypernode/hypernode/core"

// Keep asks for what Fetch would ask for, from now until stop is called, and returns at once: a want that may stand for days
// costs no goroutine. ended is called when all of it has come, with nil, or with the reason why no more will: core.ErrConflict
// or core.ErrClosed. It is called once at most, not after stop has returned, maybe before Keep has; it must not block, nor
// call the core or its session.
func (r *Replicator) Keep(w core.Want, ended func(error)) (stop func()) {
	job := newWant(w)
	job.tell = ended
	if err := r.begin(job); err != nil {
		ended(err)
	}
	return func() {
		r.mu.Lock()
		job.tell = nil
		r.sched.remove(job)
		ends := r.sched.tailEnds()
		r.mu.Unlock()
		if ends {
			r.wake()
		}
	}
}

// begin has peers asked for what a want is for.
func (r *Replicator) begin(job *want) error {
	r.mu.Lock()
	if err := r.unusableLocked(); err != nil {
		r.mu.Unlock()
		return err
	}
	r.sched.add(job)
	few := len(r.links) == 0
	news := r.newsLocked()
	r.mu.Unlock()
	r.tell(news)
	if few {
		r.set.seek(r)
	}
	r.wake()
	if job.Head {
		r.arm()
	}
	return nil
}
