package pebble

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable"
)

// recovery brings the journal's commits into Pebble when a store is opened.
type recovery struct {
	e       *Engine
	files   []recoveredFile
	seq     uint64              // the last commit that Pebble has
	synced  uint64              // all commits up to this one had been on stable storage
	touched map[uint32]struct{} // segments with bytes of commits above synced
}

// recover applies what Pebble lacks and begins a journal file for what comes. A crash at any point of it changes
// nothing of what the next recovery finds: the frames that were cut off are void only once the new file is on stable
// storage, and only then the old files go.
func (e *Engine) recover() error {
	r := &recovery{e: e, touched: map[uint32]struct{}{}}
	if err := r.loadMeta(); err != nil {
		return err
	}
	if err := r.readFiles(); err != nil {
		return err
	}
	before := r.seq
	if err := r.replay(); err != nil {
		return err
	}
	e.dirty.advance(max(r.synced, before))
	if r.seq < r.synced {
		return corrupt("the journal lacks commit %d, and there were %d", r.seq+1, r.synced)
	}
	if e.readOnly {
		return nil
	}
	return r.finish(before)
}

// loadMeta reads the engine's state from Pebble.
func (r *recovery) loadMeta() error {
	v, closer, err := r.e.db.Get(metaKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return openError(err)
	}
	r.e.meta, err = parseMeta(v)
	r.seq = r.e.meta.seq
	return errors.Join(err, closer.Close())
}

// replay applies the frames that come after what Pebble has, up to the first that is missing or torn.
func (r *recovery) replay() error {
	for _, f := range r.files {
		for _, fr := range f.frames {
			if fr.seq <= r.seq {
				continue
			}
			if fr.seq != r.seq+1 {
				return nil
			}
			if ok, err := r.apply(fr); !ok || err != nil {
				return err
			}
		}
	}
	return nil
}

// apply applies one frame. It returns false for one whose blocks did not get to the disk.
func (r *recovery) apply(f frame) (bool, error) {
	if f.seq > r.synced {
		whole, err := r.blocksThere(f.payload)
		if !whole || err != nil {
			return false, err
		}
	}
	b := r.e.db.NewBatch()
	err := b.SetRepr(append([]byte(nil), f.payload...))
	if err == nil {
		err = r.e.db.Apply(b, pebble.NoSync)
	}
	if err := errors.Join(err, b.Close(), r.e.health.err()); err != nil {
		return false, fmt.Errorf("applying the journal: %w", err)
	}
	r.seq = f.seq
	return true, nil
}

// blocksThere checks the blocks that a frame puts into segments.
func (r *recovery) blocksThere(payload []byte) (bool, error) {
	reader := batchrepr.Read(payload)
	for {
		kind, key, value, ok, err := reader.Next()
		if !ok || err != nil {
			return err == nil, nil
		}
		if kind != pebble.InternalKeyKindSet || len(key) == 0 || key[0] != spaceBlock {
			continue
		}
		rec, err := parseBlock(value)
		if err != nil {
			return false, corrupt("%w", err)
		}
		if rec.inline {
			continue
		}
		r.touched[rec.place.segment] = struct{}{}
		if whole, err := r.blockThere(key[1:], rec); !whole || err != nil {
			return false, err
		}
	}
}

// blockThere checks one block. A disk that cannot be read is an error, not a tear.
func (r *recovery) blockThere(key []byte, rec blockRecord) (bool, error) {
	data := make([]byte, rec.place.length)
	err := r.e.handles.readAt(rec.place.segment, data, int64(rec.place.offset))
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("checking block bytes: %w", err)
	}
	return datastore.Checksum(key, data) == rec.sum, nil
}

// finish puts what was replayed on stable storage and begins a new journal file.
func (r *recovery) finish(before uint64) error {
	e := r.e
	if err := r.syncSegments(); err != nil {
		return err
	}
	if r.seq > before {
		if err := e.flush(); err != nil {
			return err
		}
	}
	e.dirty.advance(r.seq)
	if n := len(r.files); n > 0 {
		last := r.files[n-1]
		if n == 1 && last.ok && last.size == journalHeader && last.base == r.seq+1 {
			f, err := e.journal.reopen(last.fileHeader)
			e.journal.current = f
			return err
		}
		e.journal.number = last.number
	}
	e.meta.seq = r.seq
	if err := e.beginJournal(); err != nil {
		return fmt.Errorf("beginning a journal file: %w", err)
	}
	for _, f := range r.files {
		if err := durable.Remove(e.fs, e.fs.PathJoin(e.journal.dir, fileName(f.number))); err != nil {
			return fmt.Errorf("removing journal files: %w", err)
		}
	}
	return nil
}

// syncSegments puts the segments on stable storage that a process which died may have left in the kernel's memory.
func (r *recovery) syncSegments() error {
	if len(r.touched) == 0 {
		return nil
	}
	for n := range r.touched {
		f, err := r.e.fs.Open(r.e.segmentPath(n))
		if errors.Is(err, fs.ErrNotExist) {
			continue // of a frame that was cut off
		}
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("syncing a segment: %w", err)
		}
	}
	return durable.SyncDir(r.e.fs, r.e.fs.PathJoin(r.e.dir, segmentsDir))
}
