package mirror

import (
	"context"
	"errors"
	"iter"
	"slices"
)

// Sync makes the target like the source, once, and returns when what it wrote is committed. An error that is an ErrPartial tells of
// single files, any other ended the run; what was written before stays, and the next run goes on from there.
func Sync(ctx context.Context, from, to Tree, o Options) (Stats, error) {
	return round(ctx, from, to, o, []string{""})
}

// Plan yields what Sync would do. An error ends it, but a *PartialError, which comes last, tells of the files that failed.
func Plan(ctx context.Context, from, to Tree, o Options) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		changes, done := make(chan Change), make(chan error, 1)
		o.DryRun = true
		o.Changed = func(c Change) {
			select {
			case changes <- c:
			case <-ctx.Done():
			}
		}
		go func() {
			_, err := Sync(ctx, from, to, o)
			close(changes)
			done <- err
		}()
		more := true
		for c := range changes {
			if more = more && yield(c, nil); !more {
				cancel()
			}
		}
		err := <-done
		cancel()
		if more && err != nil {
			yield(Change{}, err)
		}
	}
}

// round mirrors what is at and below the paths of a scope.
func round(ctx context.Context, from, to Tree, o Options, scope []string) (_ Stats, err error) {
	if err := apart(from, to); err != nil {
		return Stats{}, err
	}
	s, err := from.source(ctx, o)
	if err != nil {
		return Stats{}, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	t, err := to.target(ctx, o)
	if err != nil {
		return Stats{}, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	r := &run{from: s, to: t, o: o, scope: topmost(scope), sieve: newSieve(s, o)}
	err = r.all(ctx)
	if end := t.finish(ctx, err == nil); err == nil {
		err = end
	}
	r.report(true)
	if err == nil && len(r.partial.Problems) > 0 {
		err = &r.partial
	}
	return r.stats, err
}

// topmost sorts paths and leaves out those below others.
func topmost(scope []string) []string {
	scope = slices.Clone(scope)
	slices.Sort(scope)
	return slices.DeleteFunc(slices.Compact(scope), func(p string) bool {
		for p != "" {
			p = parent(p)
			if _, found := slices.BinarySearch(scope, p); found {
				return true
			}
		}
		return false
	})
}

// run is one round.
type run struct {
	from  source
	to    target
	o     Options
	scope []string
	sieve *sieve
	quota quota
	tally
}

// all removes first what is to be removed, since it may stand in the way of what is to be added.
func (r *run) all(ctx context.Context) error {
	r.start(&r.o)
	r.quota.files, r.quota.bytes = r.o.MaxFiles, r.o.MaxBytes
	if r.o.Prune || r.o.Progress != nil {
		if err := r.survey(ctx); err != nil {
			return err
		}
	}
	return r.transfer(ctx)
}

// pairs yields what the trees have in the scope.
func (r *run) pairs(ctx context.Context) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		skip := func(folder string) bool { return r.sieve.hidden(ctx, folder, true) }
		for _, under := range r.scope {
			if under != "" && skip(parent(under)) {
				if r.sieve.err != nil {
					yield(pair{}, r.sieve.err)
					return
				}
				continue
			}
			from := r.sieve.sift(ctx, r.from.list(ctx, under, skip))
			to := r.sieve.sift(ctx, r.to.list(ctx, under, skip))
			for p, err := range join(ctx, from, to) {
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
	}
}

// removeGroup is how many files are removed in one commit.
const removeGroup = 1024

// survey counts the source and removes from the target what it has not.
func (r *run) survey(ctx context.Context) error {
	var doomed []entry
	for p, err := range r.pairs(ctx) {
		switch {
		case err != nil:
			return err
		case p.want != nil && p.want.note == nil:
			r.expect(p.want)
		case p.want == nil && p.have != nil && p.have.note == nil && r.o.Prune:
			doomed = append(doomed, *p.have)
		}
		if len(doomed) == removeGroup {
			if err := r.remove(ctx, doomed); err != nil {
				return err
			}
			doomed = doomed[:0]
		}
	}
	return r.remove(ctx, doomed)
}

func (r *run) remove(ctx context.Context, doomed []entry) error {
	if len(doomed) == 0 {
		return nil
	}
	failed := map[string]bool{}
	if !r.o.DryRun {
		err := r.to.remove(ctx, doomed, func(e entry, err error) {
			failed[e.path] = true
			r.fail(e.path, e.size, err)
		})
		if err != nil {
			return err
		}
	}
	for _, e := range doomed {
		if !failed[e.path] {
			r.removed(&e)
		}
	}
	return nil
}
