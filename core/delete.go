package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/compact"
)

// Deleting a core takes one commit that turns its record into a note of what is to be removed, and after it bounded steps that
// remove it. A crash between them is made good by Sweep.

// sweepStep is how many indexes of blocks go in one step.
const sweepStep = 1 << 16

// Delete removes the core from the store: its record, blocks, tree, user data and secret key. All handles fail with ErrDeleted
// from then on. When it returns the space is given back. The proof of a conflict stays.
func (c *Core) Delete(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.readOnly || c.pin != nil {
		return ErrNotWritable
	}
	l := c.log
	l.write.Lock()
	if err := l.alive(); err != nil {
		l.write.Unlock()
		return err
	}
	note := deletion{id: l.id, key: l.dkey, length: l.current.Load().length, secret: l.rec.secret}
	if err := note.commit(ctx, l.db); err != nil {
		l.write.Unlock()
		return fmt.Errorf("core: deleting %s: %w", l.key, err)
	}
	l.mu.Lock()
	l.deleted = true
	again := l.closed
	l.closed = true
	l.mu.Unlock()
	l.write.Unlock()
	// The secret goes before anybody can make the core anew, and store it again.
	err := note.sweepSecret(ctx, l.db)
	if !again {
		err = errors.Join(err, l.shut())
	}
	return errors.Join(err, note.sweep(ctx, l.db))
}

// Delete removes a core that is not open, as Core.Delete does, even when what is stored of it cannot be read. It fails with
// ErrNotFound when the store does not hold it, with ErrInUse when it is open.
func Delete(ctx context.Context, db *datastore.DB, d keys.DiscoveryKey) error {
	release, ok := claim(db, d)
	if !ok {
		return fmt.Errorf("%w: %s", ErrInUse, d)
	}
	defer release()
	rec, err := Lookup(ctx, db, d)
	if err != nil {
		return fmt.Errorf("core: deleting %s: %w", d, err)
	}
	note := deletion{id: rec.id, key: d, length: compact.MaxSafe, secret: rec.secret}
	if err := note.commit(ctx, db); err != nil {
		return fmt.Errorf("core: deleting %s: %w", d, err)
	}
	return note.sweep(ctx, db)
}

// commit turns the record into the note.
func (d *deletion) commit(ctx context.Context, db *datastore.DB) error {
	return db.Update(ctx, func(tx *datastore.Tx) error {
		tx.Delete(recordKey(d.key))
		tx.Set(deletedKey(d.id), d.encode())
		return nil
	})
}

// Sweep goes on with deletions that a crash interrupted. Call it when a store is opened, before its cores are.
func Sweep(ctx context.Context, db *datastore.DB) error {
	var notes []deletion
	lo := datastore.Group(groupDeleted).Item()
	err := db.View(ctx, func(tx *datastore.Tx) error {
		for rec, err := range tx.Scan(lo, lo.End(), false) {
			if err != nil {
				return err
			}
			id, _, ok := datastore.ParseUint(bytes.TrimPrefix(rec.Key, lo))
			note, good := decodeDeletion(rec.Value)
			if !ok || !good {
				return fmt.Errorf("%w: the note of a deleted core", ErrCorrupt)
			}
			note.id = id
			notes = append(notes, note)
		}
		return nil
	})
	for i := 0; err == nil && i < len(notes); i++ {
		err = notes[i].sweep(ctx, db)
	}
	return err
}

// deletion is the note of a core whose data is to be removed.
type deletion struct {
	id     uint64
	key    keys.DiscoveryKey
	length uint64
	secret bool
}

// sweep removes the data of a deleted core, in steps, and the note last.
func (d *deletion) sweep(ctx context.Context, db *datastore.DB) error {
	if err := d.sweepSecret(ctx, db); err != nil {
		return err
	}
	if err := d.sweepBlocks(ctx, db); err != nil {
		return fmt.Errorf("core: removing the blocks of a deleted core: %w", err)
	}
	data := dataKey(d.id)
	err := db.Update(ctx, func(tx *datastore.Tx) error {
		tx.DeleteRange(data, data.End())
		tx.Delete(deletedKey(d.id))
		return nil
	})
	if err != nil {
		return err
	}
	return db.Compact(ctx, data, data.End())
}

// sweepSecret removes the secret key, unless the core was made anew meanwhile, and needs it.
func (d *deletion) sweepSecret(ctx context.Context, db *datastore.DB) error {
	s := db.Secrets()
	if !d.secret || s == nil {
		return nil
	}
	again, err := Lookup(ctx, db, d.key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err == nil && again.secret {
		return nil
	}
	// A power loss must not bring the core back without its secret.
	if err := db.Sync(ctx); err != nil {
		return fmt.Errorf("core: removing the secret key of a deleted core: %w", err)
	}
	if err := s.Remove(secretName(d.key)); err != nil {
		return fmt.Errorf("core: removing the secret key of a deleted core: %w", err)
	}
	d.secret = false
	return nil
}

// sweepBlocks removes the blocks. The length of a log says little about how many of them are here: each step looks for the next.
func (d *deletion) sweepBlocks(ctx context.Context, db *datastore.DB) error {
	for from := uint64(0); from < d.length; from += sweepStep {
		var some bool
		err := db.View(ctx, func(tx *datastore.Tx) (err error) {
			from, some, err = nextBlock(tx, d.id, from, d.length)
			return err
		})
		if err != nil || !some {
			return err
		}
		err = db.Update(ctx, func(tx *datastore.Tx) error {
			tx.Lazy()
			tx.DeleteBlocks(blockKey(d.id, from), blockKey(d.id, from+sweepStep))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// nextBlock returns the first block from an index on that is stored, readable or not.
func nextBlock(tx *datastore.Tx, core, from, end uint64) (i uint64, some bool, err error) {
	prefix := dataKey(core)
	for rec, err := range tx.Blocks(blockKey(core, from), blockKey(core, end)) {
		key := datastore.Key(rec.Key)
		var corrupt *datastore.CorruptError
		if errors.As(err, &corrupt) {
			key = corrupt.Key
		} else if err != nil {
			return 0, false, err
		}
		if i, _, ok := datastore.ParseUint(bytes.TrimPrefix(key, prefix)); ok {
			return i, true, nil
		}
	}
	return 0, false, nil
}

func (d *deletion) encode() []byte {
	b := append([]byte(nil), d.key[:]...)
	b = compact.AppendUint(b, d.length)
	return compact.AppendBool(b, d.secret)
}

func decodeDeletion(b []byte) (deletion, bool) {
	r := compact.NewDecoder(b)
	d := deletion{key: r.Fixed32(), length: r.Uint(), secret: r.Bool()}
	return d, r.Err() == nil
}
