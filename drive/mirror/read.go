package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// tries is how often a file is read that changes meanwhile.
const tries = 4

// prepare does all that can be done about a job beside others.
func (r *run) prepare(ctx context.Context, j *job) {
	if r.o.DryRun {
		r.foresee(ctx, j)
		return
	}
	if err := r.fetch(ctx, j); err != nil {
		j.lose(err)
		return
	}
	if j.contents == equal && j.same {
		j.outcome = kept
		return
	}
	whole := j.contents == equal || j.want.isLink()
	if err := r.charge(j, whole); err != nil {
		j.lose(err)
		return
	}
	switch {
	case r.to.grouped():
	case whole || j.data != nil:
		if err := r.to.apply(ctx, []write{j.write()}); err != nil {
			j.lose(err)
			return
		}
		j.outcome, j.data = finished, nil
	default:
		r.stream(ctx, j)
	}
}

// charge takes a write off the quota.
func (r *run) charge(j *job, whole bool) error {
	n := max(j.want.size, 0)
	if whole {
		n = 0
	}
	return r.quota.take(1, n)
}

// foresee finds out what would be done.
func (r *run) foresee(ctx context.Context, j *job) {
	if err := r.settleContents(ctx, j); err != nil {
		j.lose(err)
		return
	}
	if j.contents == equal && j.same {
		j.outcome = kept
		return
	}
	if err := r.charge(j, j.contents == equal || j.want.isLink()); err != nil {
		j.lose(err)
		return
	}
	j.outcome = finished
}

// lose ends a job with an error.
func (j *job) lose(err error) {
	j.outcome, j.err = failed, err
	if errors.Is(err, errGone) {
		j.outcome = gone
	}
}

// errGone: the file is not in the source any more.
var errGone = fmt.Errorf("mirror: removed before it was read: %w", fs.ErrNotExist)

// fetch reads a small file that must be written, or may have to be, and settles what is not known of a large one.
func (r *run) fetch(ctx context.Context, j *job) error {
	if j.want.isLink() || j.contents == equal {
		return nil
	}
	if !j.small() {
		return r.settleContents(ctx, j)
	}
	if err := r.retry(ctx, j, r.slurp); err != nil {
		return err
	}
	if j.contents != unknown || j.have.size >= 0 && j.have.size != int64(len(j.data)) {
		j.contents = unequal
		return nil
	}
	same, err := r.holds(ctx, j)
	if err != nil {
		return fatal(err)
	}
	if j.contents = unequal; same {
		j.contents, j.data = equal, nil
	}
	return nil
}

// holds tells whether the target has the contents that were read.
func (r *run) holds(ctx context.Context, j *job) (bool, error) {
	c, _, err := r.to.open(ctx, *j.have)
	if err != nil {
		return false, nil // it cannot be read, so it is written anew
	}
	defer c.Close()
	there := make([]byte, len(j.data)+1)
	n, err := fill(c, there)
	return err == io.EOF && bytes.Equal(there[:n], j.data), ctx.Err()
}

// settleContents compares contents of which nothing is known.
func (r *run) settleContents(ctx context.Context, j *job) error {
	if j.contents != unknown {
		return nil
	}
	return r.retry(ctx, j, func(ctx context.Context, j *job, c content) error {
		have, _, err := r.to.open(ctx, *j.have)
		if err != nil {
			j.contents = unequal
			return nil
		}
		defer have.Close()
		same, err := sameContents(ctx, &meter{r: c, run: r, job: j, silent: true}, have)
		if j.contents = unequal; same {
			j.contents = equal
		}
		return err
	})
}

// slurp reads a small file.
func (r *run) slurp(_ context.Context, j *job, c content) error {
	if !j.small() {
		return fmt.Errorf("%w: it grew beyond %d bytes", ErrChanging, smallFile)
	}
	data := make([]byte, j.want.size)
	n, err := io.ReadFull(&meter{r: c, run: r, job: j}, data)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: %d bytes instead of %d", ErrSize, n, j.want.size)
	}
	if err != nil {
		return err
	}
	if n, err := c.Read(make([]byte, 1)); n > 0 || err != nil && err != io.EOF {
		return errors.Join(fmt.Errorf("%w: more than %d bytes", ErrSize, j.want.size), err)
	}
	j.data = data
	return nil
}

// stream writes a large file. It leaves the outcome in the job.
func (r *run) stream(ctx context.Context, j *job) {
	err := r.retry(ctx, j, func(ctx context.Context, j *job, c content) error {
		m := &meter{r: c, run: r, job: j, limit: j.want.size}
		if j.want.size < 0 {
			m.quota = &r.quota
		}
		ahead := readAhead(m)
		defer ahead.Close()
		if err := r.to.stream(ctx, j.write(), ahead, func() error { return errors.Join(m.check(), c.unchanged()) }); err != nil {
			return err
		}
		j.want.size = m.n
		return nil
	})
	if err != nil {
		j.lose(err)
		return
	}
	j.outcome = finished
}

// retry opens a file and reads it, again when it changed meanwhile.
func (r *run) retry(ctx context.Context, j *job, read func(context.Context, *job, content) error) error {
	for try := 1; ; try++ {
		err := r.once(ctx, j, read)
		if !errors.Is(err, ErrChanging) || try == tries {
			return err
		}
		select {
		case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *run) once(ctx context.Context, j *job, read func(context.Context, *job, content) error) error {
	c, now, err := r.from.open(ctx, j.want)
	if errors.Is(err, fs.ErrNotExist) {
		return errGone
	}
	if err != nil {
		return err
	}
	defer c.Close()
	r.read(j.want.path, 0, -j.counted)
	j.want, j.counted = now, 0
	if err := read(ctx, j, c); err != nil {
		// What is wrong with a file that changes may be just that.
		return errors.Join(err, c.unchanged())
	}
	return c.unchanged()
}
