package pebble

import (
	"errors"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
)

// directWrite is the length from which a block is written from the caller's slice and not copied first, in bytes.
const directWrite = 32 << 10

// Commit implements datastore.Engine.
func (e *Engine) Commit(b *datastore.Batch, durable bool) error {
	e.commits.Lock()
	defer e.commits.Unlock()
	if err := e.writable(); err != nil {
		return err
	}
	placed, err := e.measure(b)
	if err != nil {
		return err
	}
	need := lazy
	switch {
	case durable:
		need = synced
	case b.Awaited:
		need = hasty
	}
	return e.commit(placed, need, func(p *plan) error {
		for i := range b.Ops {
			if err := p.add(&b.Ops[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// measure returns how many bytes of b go into a segment.
func (e *Engine) measure(b *datastore.Batch) (placed uint64, err error) {
	records := uint64(0)
	for i := range b.Ops {
		op := &b.Ops[i]
		records += uint64(len(op.Key) + len(op.End) + 64)
		if op.Kind == datastore.OpSetBlock && len(op.Value) > e.options.Inline {
			placed += uint64(len(op.Value))
		} else {
			records += uint64(len(op.Value))
		}
	}
	if placed > maxFrame || records > maxFrame/2 {
		return 0, fmt.Errorf("committing: %w", datastore.ErrTooLarge)
	}
	return placed, nil
}

// need is what a commit needs of the disk.
type need uint8

const (
	lazy   need = iota // that it is written some time
	hasty              // that writing begins: a sync follows
	synced             // that it is on stable storage
)

// commit carries out what fill puts into a plan: bytes into the segment, a frame into the journal, records into
// Pebble. A crash before the frame is whole leaves bytes that nothing points to; after it, the commit is there.
func (e *Engine) commit(placed uint64, need need, fill func(*plan) error) (err error) {
	if err := e.roomInJournal(); err != nil {
		return err
	}
	p := &e.plan
	p.begin(e)
	defer func() { err = errors.Join(err, p.release()) }()
	file, err := e.roomInSegment(p, placed)
	if err != nil {
		return e.writeError("beginning a segment", err)
	}
	start := p.meta.info.end
	if err = fill(p); err == nil {
		err = p.finish()
	}
	if err == nil && p.batch.Len() > maxFrame {
		err = fmt.Errorf("committing: %w", datastore.ErrTooLarge)
	}
	if err == nil {
		err = e.writeSegment(file, start)
	}
	if err == nil {
		err = e.writeJournal()
	}
	if err != nil {
		e.abandon(file)
		return e.commitError(err)
	}
	switch need {
	case hasty:
		if err := e.journal.begin(); err != nil {
			return e.health.fail(err)
		}
	case synced:
		if err := e.sync(true); err != nil {
			return err
		}
	}
	return e.apply(file)
}

// roomInSegment picks the file that the commit's blocks go into: the active segment or, when that is full, a new one.
// It returns nil when there are none.
func (e *Engine) roomInSegment(p *plan, placed uint64) (*segmentFile, error) {
	if placed == 0 {
		return e.active, nil
	}
	m := &p.meta
	full := m.info.end > 0 && uint64(m.info.end)+placed > uint64(e.options.SegmentSize)
	if m.active != 0 && !full {
		if e.active != nil {
			return e.active, nil
		}
		f, err := e.openSegment(m.active, m.info.end)
		if err == nil {
			e.active = f
		}
		return f, err
	}
	if m.active == math.MaxUint32 {
		return nil, errors.New("pebble: out of segment numbers")
	}
	if m.active != 0 {
		p.setSegment(m.active, m.info)
	}
	m.active, m.info = m.active+1, segmentInfo{}
	return e.createSegment(m.active)
}

// writeSegment appends the commit's blocks from start on.
func (e *Engine) writeSegment(f *segmentFile, start uint32) error {
	if len(e.plan.placed) == 0 {
		return nil
	}
	w := gatherer{file: f.file, at: int64(start), buffer: e.journal.buffer[:0]}
	err := w.blocks(e.plan.placed)
	e.journal.buffer = w.buffer
	if err != nil {
		return writeFailure("writing blocks", undo(err, f.file, int64(start)))
	}
	e.dirty.segment(f)
	return nil
}

// gatherer writes blocks one behind the other, small ones with one write(2).
type gatherer struct {
	file   vfs.File
	at     int64
	buffer []byte
}

func (w *gatherer) blocks(placed []placedBlock) error {
	for i := range placed {
		if err := w.add(placed[i].data); err != nil {
			return err
		}
	}
	return w.flush()
}

func (w *gatherer) add(data []byte) error {
	if len(data) < directWrite && len(w.buffer)+len(data) <= maxBuffer {
		w.buffer = append(w.buffer, data...)
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	return w.write(data)
}

func (w *gatherer) flush() error {
	err := w.write(w.buffer)
	w.buffer = w.buffer[:0]
	return err
}

func (w *gatherer) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	_, err := w.file.WriteAt(data, w.at)
	w.at += int64(len(data))
	return err
}

func (e *Engine) writeJournal() error {
	p := &e.plan
	err := e.journal.write(frame{seq: p.meta.seq, synced: e.dirty.synced.Load(), payload: p.batch.Repr()})
	if err != nil {
		return writeFailure("writing the journal", err)
	}
	e.dirty.journal(e.journal.current, p.meta.seq)
	return nil
}

// apply makes the commit visible.
func (e *Engine) apply(file *segmentFile) error {
	p := &e.plan
	if err := e.epochs.change(e.db, func() error { return e.db.Apply(p.batch, pebble.NoSync) }); err != nil {
		return e.health.fail(fmt.Errorf("applying to the records: %w", err))
	}
	if err := e.health.err(); err != nil {
		return err
	}
	if file != e.active {
		if e.active != nil {
			e.dirty.seal(e.active)
		}
		e.active = file
	}
	e.meta = p.meta
	for n, s := range p.segments {
		e.sealed[n] = s
	}
	e.tombs.add(p.tombs)
	e.noteFreed(p.freed)
	return nil
}

// abandon gives up the segment that a failed commit has begun.
func (e *Engine) abandon(f *segmentFile) {
	if f != nil && f != e.active {
		e.dirty.seal(f)
	}
}

// writeFailure is an error of a write to the journal or a segment, as opposed to one of reading.
type writeFailed struct{ error }

func (w writeFailed) Unwrap() error { return w.error }

func writeFailure(doing string, err error) error {
	return writeFailed{fmt.Errorf("%s: %w", doing, err)}
}

// writeError sorts an error of a write: a full disk leaves the engine as it was, anything else fails it.
func (e *Engine) writeError(doing string, err error) error {
	return e.commitError(writeFailure(doing, err))
}

// commitError sorts an error of a commit that did not get into the journal.
func (e *Engine) commitError(err error) error {
	var w writeFailed
	switch {
	case errors.Is(err, datastore.ErrStoreFailed), errors.Is(err, datastore.ErrTooLarge):
		return err
	case errors.As(err, &w) && isNoSpace(err):
		return fmt.Errorf("%w: %w", datastore.ErrNoSpace, w.error)
	}
	return e.health.fail(err)
}
