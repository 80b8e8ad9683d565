package core_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// rotTyped tells whether an error is one that a caller can tell damage by.
func rotTyped(err error) bool {
	for _, kind := range []error{
		core.ErrCorrupt, core.ErrNotAvailable, core.ErrConflict, datastore.ErrCorrupt, datastore.ErrFormat, datastore.ErrStoreFailed,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// look opens a store with a flipped bit and reads all of it. Blocks are healed whatever happened to them; of tree nodes only
// that is asked that they do no harm.
func (r *rotStore) look(mem *vfs.MemFS, class string) (outcome string, err error) {
	ctx := r.world.ctx
	db, err := pebble.Open(crashDir, r.world.disk.options(mem))
	if err != nil {
		if !rotTyped(err) {
			return "", fmt.Errorf("opening: %w", err)
		}
		return "the store does not open", nil
	}
	outcome = "no harm"
	if db.Err() != nil {
		if outcome = "the store is read-only"; !rotTyped(db.Err()) {
			return "", fmt.Errorf("opened with %w", db.Err())
		}
	}
	for _, c := range r.world.live() {
		seen, err := r.lookAtCore(ctx, db, c, strings.HasPrefix(class, "block") || class == "file segments")
		if err != nil {
			return "", errors.Join(fmt.Errorf("core %s: %w", c.key, err), db.Close())
		}
		if seen != "" && outcome == "no harm" {
			outcome = seen
		}
	}
	if seen, err := r.makeAnother(ctx, db); err != nil {
		return "", errors.Join(fmt.Errorf("making another core: %w", err), db.Close())
	} else if outcome == "no harm" {
		outcome = seen
	}
	if err := db.Close(); err != nil && !rotTyped(err) {
		return "", fmt.Errorf("closing: %w", err)
	}
	return outcome, nil
}

// makeAnother makes a core beside those that are there, which must not get in their way.
func (r *rotStore) makeAnother(ctx context.Context, db *datastore.DB) (string, error) {
	another, err := core.Open(ctx, db, core.Options{Pair: keys.PairFromSeed(keys.Seed{'r'}), Derived: true})
	if err != nil {
		return "no core can be made", rotPass(err)
	}
	if h := another.Head(); h != (core.Head{}) {
		return "", fmt.Errorf("it begins with %v", h)
	}
	if held, err := another.Info(ctx); err != nil || held.Disk.Total() > 0 {
		return "", fmt.Errorf("it begins with %+v, %w", held.Disk, err)
	}
	return "no harm", another.Close()
}

// lookAtCore reads all of a core twice: alone, and with a source that has everything.
func (r *rotStore) lookAtCore(ctx context.Context, db *datastore.DB, c *crashCore, heal bool) (string, error) {
	o := c.again()
	live, err := core.Open(ctx, db, o)
	if errors.Is(err, core.ErrNotFound) && (db.Err() != nil || r.killed) {
		return "an older state", nil // damage to what was not synced looks like a power loss
	}
	if err != nil {
		if !rotTyped(err) {
			return "", fmt.Errorf("opening: %w", err)
		}
		return "a core does not open", nil
	}
	lost, err := r.readCore(ctx, live, c, false)
	if err = errors.Join(err, live.Close()); err != nil {
		return "", err
	}
	o.Source = rotSource{c}
	if live, err = core.Open(ctx, db, o); err != nil {
		if !rotTyped(err) {
			return "", fmt.Errorf("opening with a source: %w", err)
		}
		return "a core does not open", nil
	}
	_, err = r.readCore(ctx, live, c, heal && live.TreeHash() == c.on[shadow].TreeHash())
	if err == nil {
		err = r.appendTo(ctx, live)
	}
	if err = errors.Join(err, live.Close()); err != nil {
		return "", fmt.Errorf("with a source: %w", err)
	}
	if lost > 0 {
		return "a block is lost, and healed", nil
	}
	return "", nil
}

// readCore reads blocks, bytes and user data, and returns how many blocks could not be read. A log that is healed must give
// every block that its source has.
func (r *rotStore) readCore(ctx context.Context, live *core.Core, c *crashCore, heal bool) (lost int, err error) {
	i := slices.IndexFunc(c.events, func(e crashEvent) bool { return e.print != absent && e.head == live.Head() })
	if i < 0 {
		return 0, fmt.Errorf("it has the head %v, which it never had", live.Head())
	}
	for n, want := range c.events[i].blocks {
		got, err := live.Get(ctx, uint64(n))
		switch {
		case err == nil && !bytes.Equal(got, want):
			return lost, fmt.Errorf("block %d is %x, not %x", n, got, want)
		case err != nil && !rotTyped(err):
			return lost, fmt.Errorf("block %d: %w", n, err)
		case errors.Is(err, core.ErrCorrupt):
			lost++
		}
		if err != nil && heal && rotHas(ctx, c, uint64(n)) {
			return lost, fmt.Errorf("block %d was not healed: %w", n, err)
		}
	}
	if err := r.readBlocks(ctx, live, c.events[i].blocks); err != nil {
		return lost, err
	}
	return lost, r.readUser(ctx, live, c)
}

// readBlocks reads the held blocks in runs, and as a stream of bytes.
func (r *rotStore) readBlocks(ctx context.Context, live *core.Core, blocks [][]byte) error {
	held, err := live.Held(ctx, 0, uint64(len(blocks)))
	if err != nil {
		return rotPass(err)
	}
	for _, h := range held {
		n := h.Start
		for b, err := range live.Blocks(ctx, h.Start, h.End) {
			if err != nil {
				if !rotTyped(err) {
					return fmt.Errorf("blocks from %d on: %w", n, err)
				}
				break
			}
			if !bytes.Equal(b, blocks[n]) {
				return fmt.Errorf("block %d of a run is %x, not %x", n, b, blocks[n])
			}
			n++
		}
	}
	all, at := bytes.Join(blocks, nil), 0
	for b, err := range live.Bytes(ctx, 0, uint64(len(all))) {
		if err != nil {
			return rotPass(err)
		}
		if !bytes.HasPrefix(all[at:], b) {
			return fmt.Errorf("bytes from %d on are %x", at, b)
		}
		at += len(b)
	}
	return nil
}

func rotPass(err error) error {
	if rotTyped(err) {
		return nil
	}
	return err
}

// readUser reads the user data: each value is one that was set.
func (r *rotStore) readUser(ctx context.Context, live *core.Core, c *crashCore) error {
	for _, name := range userNames {
		v, err := live.UserData(ctx, name)
		if err != nil {
			if !rotTyped(err) {
				return fmt.Errorf("user data: %w", err)
			}
			continue
		}
		known := slices.ContainsFunc(c.events, func(e crashEvent) bool {
			return bytes.Contains([]byte(e.print), fmt.Appendf(nil, "%q", v))
		})
		if !known {
			return fmt.Errorf("user data %q is %q", name, v)
		}
	}
	return nil
}

// appendTo appends, where that is still possible; what is signed then must be right.
func (r *rotStore) appendTo(ctx context.Context, live *core.Core) error {
	if !live.Writable() {
		return nil
	}
	n, err := live.Append(ctx, []byte("after the rot"))
	if err != nil {
		return rotPass(err)
	}
	rep, err := live.Verify(ctx)
	if err == nil {
		err = rep.Signature
	}
	if err != nil {
		return fmt.Errorf("after an append of block %d: %w", n, err)
	}
	return nil
}
