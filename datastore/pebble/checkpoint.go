package pebble

import (
	"fmt"
)

// roomInJournal begins a new journal file when the current one is full, and lets Pebble flush what the older ones
// hold. It waits for the flush before that, so that neither the journal nor Pebble's memory grows without bound.
func (e *Engine) roomInJournal() error {
	c := e.journal.current
	if c.size < e.options.JournalSize || c.last < c.base || e.closed {
		return nil
	}
	if err := e.awaitFlush(); err != nil {
		return err
	}
	if err := e.beginJournal(); err != nil {
		return e.writeError("beginning a journal file", err)
	}
	done, err := e.db.AsyncFlush()
	if err != nil {
		return e.health.fail(fmt.Errorf("flushing the records: %w", err))
	}
	e.flushed = make(chan struct{})
	e.background.Add(1)
	go e.checkpoint(e.meta.seq, done, e.flushed)
	return nil
}

// awaitFlush waits for the flush that was begun last. It does not wait for one that has no space.
func (e *Engine) awaitFlush() error {
	for e.flushed != nil {
		news, err := e.health.trouble()
		select {
		case <-e.flushed:
			return nil
		default:
		}
		if err != nil {
			return fmt.Errorf("the journal is full: %w", err)
		}
		select {
		case <-e.flushed:
		case <-news:
		case <-e.health.closing:
			return errAborted
		}
	}
	return nil
}

// checkpoint removes the journal files with commits up to seq once Pebble has flushed these, which done tells.
func (e *Engine) checkpoint(seq uint64, done <-chan struct{}, flushed chan<- struct{}) {
	defer e.background.Done()
	for {
		news, _ := e.health.trouble()
		if e.health.err() != nil {
			return
		}
		select {
		case <-done:
			if e.health.err() != nil {
				return // Pebble may believe in a flush that is not on the disk
			}
			if err := e.dropJournals(seq); err != nil {
				e.options.Logger.Warn("removing journal files", "error", err)
			}
			close(flushed)
			return
		case <-e.health.closing:
			return
		case <-news:
		}
	}
}

// flush puts all commits into Pebble's files, and gives up when there is no space for that.
func (e *Engine) flush() error {
	done, err := e.db.AsyncFlush()
	if err != nil {
		return e.health.fail(fmt.Errorf("flushing the records: %w", err))
	}
	for {
		news, _ := e.health.trouble()
		if err := e.health.err(); err != nil {
			return err
		}
		select {
		case <-done:
			return e.health.err()
		case <-news:
		}
		if _, err := e.health.trouble(); err != nil {
			return err
		}
	}
}

// beginJournal makes a new journal file the current one.
func (e *Engine) beginJournal() error {
	f, err := e.journal.create(e.meta.seq+1, e.dirty.synced.Load())
	if err != nil {
		return err
	}
	e.journal.replace(f)
	return nil
}

// dropJournals removes the retired journal files with commits up to seq, which Pebble has on stable storage. A crash
// may bring one back: its frames are then older than what Pebble has, and are passed over.
func (e *Engine) dropJournals(seq uint64) error {
	e.dirty.advance(seq)
	return e.dirty.drop(e.fs, e.journal.obsolete(seq))
}
