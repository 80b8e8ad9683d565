package core

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// viewNodes reads stored nodes, each time in a view of its own: for a comparison that goes on over several messages. The caller
// holds write.
type viewNodes struct {
	ctx context.Context
	log *log
}

// ReadNodes implements merkle.Reader.
func (v viewNodes) ReadNodes(indexes []uint64) (nodes []merkle.Node, err error) {
	err = v.log.db.View(v.ctx, func(tx *datastore.Tx) error {
		nodes, err = v.log.nodeReader(tx).ReadNodes(indexes)
		return err
	})
	return nodes, err
}

// applyFork takes a proof of a later fork: the first one of its tree, or an answer about where it leaves ours. At most one such
// comparison is under way; a proof of a still later fork replaces it. The old fork stays until the new one is committed.
func (l *log) applyFork(ctx context.Context, st *state, p *merkle.Proof, out *Verdict) error {
	err := l.compareForks(st, p)
	switch {
	case errors.Is(err, ErrInvalidProof):
		out.Err = err
		return nil
	case err != nil:
		return err
	}
	out.Applied = true
	if !l.reorg.Done() {
		out.Next = l.nextHash()
		return nil
	}
	out.Upgraded = true
	return l.commitFork(ctx, st)
}

// commitFork moves the log to the fork that has been compared with ours.
func (l *log) commitFork(ctx context.Context, st *state) error {
	v, keep := l.reorg.Result()
	keep = min(keep, st.length)
	next := st.withTree(&v.Tree, v.Signature)
	if l.writer() {
		next.forget(keep)
	} else {
		next.since, next.recover = 0, 0
	}
	return l.commitCut(ctx, st, next, keep, v.Nodes, v.Block, false)
}

// RetryFork returns another request in place of a Verdict.Next that a peer could not answer, nil when the comparison with
// that fork is over.
func (c *Core) RetryFork(fork uint64) *merkle.Request {
	l := c.log
	l.write.Lock()
	defer l.write.Unlock()
	if l.usable() != nil || l.reorg == nil || l.reorg.Fork() != fork || l.reorg.Done() {
		return nil
	}
	return l.nextHash()
}

// SettleFork moves the log to a later fork that has been proven, when no peer can tell where exactly it leaves ours: blocks
// behind the place where both are known to agree are given up, and can be fetched again. It does nothing when the comparison
// with that fork is over.
func (c *Core) SettleFork(ctx context.Context, fork uint64) error {
	l := c.log
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	st, err := l.rooted(ctx)
	if err != nil || l.reorg == nil || l.reorg.Fork() != fork || st.fork >= fork {
		return err
	}
	l.reorg.Settle()
	return l.commitFork(ctx, st)
}

func (l *log) compareForks(st *state, p *merkle.Proof) error {
	if err := checkSize(p); err != nil {
		return err
	}
	if p.Upgrade == nil {
		if l.reorg == nil || l.reorg.Fork() != p.Fork {
			return fmt.Errorf("%w: of fork %d, which nothing is known of", ErrInvalidProof, p.Fork)
		}
		return l.reorg.Feed(p)
	}
	t := st.tree()
	var auth merkle.Authority
	if l.auth != nil {
		auth = l.auth
	}
	g, err := merkle.NewReorg(viewNodes{context.Background(), l}, &t, auth, p)
	if err != nil {
		return err
	}
	if err := checkFork(l.auth, &merkle.Tree{Fork: g.Fork(), Length: g.Length()}); err != nil {
		return err
	}
	l.reorg = g
	return nil
}

// nextHash asks for the path of a block that may be on either side of where the forks part.
func (l *log) nextHash() *merkle.Request {
	start, end, nodes := l.reorg.Want()
	v := l.reorg.Length()
	i := start + rand.Uint64N(max(1, min(end, v)-start))
	return &merkle.Request{Fork: l.reorg.Fork(), Hash: &merkle.HashRequest{Index: 2 * i, Nodes: nodes}}
}

// compare holds a proof of our own fork that starts from nothing against our log: both must be one history. When they are two, the
// core is frozen. A store that does not know its roots at that length cannot tell, and takes the proof for handled.
func (l *log) compare(ctx context.Context, st *state, p *merkle.Proof, out *Verdict) error {
	var found *merkle.Conflict
	t := st.tree()
	err := l.db.View(ctx, func(tx *datastore.Tx) (err error) {
		r := l.nodeReader(tx)
		r.length = st.length
		found, err = merkle.CheckConflict(r, &t, st.signature, l.auth, p)
		return err
	})
	switch {
	case errors.Is(err, merkle.ErrMissingNode), errors.Is(err, merkle.ErrUnsureSize):
		out.Applied = true
		return nil
	case errors.Is(err, ErrInvalidProof):
		out.Err = err
		return nil
	case err != nil:
		return err
	case found == nil:
		out.Applied = true
		return nil
	}
	proof, err := l.freeze(ctx, found)
	if err != nil {
		return err
	}
	out.Err = &ConflictError{Proof: proof}
	return nil
}

// freeze stores the proof of a conflict and marks the core, on stable storage. From then on it neither takes nor gives anything but
// the proof, also after it is opened again.
func (l *log) freeze(ctx context.Context, found *merkle.Conflict) (*merkle.ConflictProof, error) {
	proof := &merkle.ConflictProof{Key: l.key, A: found.Own, B: found.Remote}
	if !l.auth.Compat() {
		proof.Manifest = l.auth.Manifest().Encode()
	}
	encoded := merkle.AppendConflictProof(nil, proof)
	proof, err := merkle.DecodeConflictProof(encoded) // shares nothing with the message that it came in
	if err != nil {
		return nil, err
	}
	rec := *l.rec
	rec.Frozen = true
	pub := &publication{state: l.current.Load(), same: true, conflict: proof}
	err = l.update(pub, func(tx *datastore.Tx) error {
		tx.Set(conflictKey(l.dkey), encoded)
		tx.Set(recordKey(l.dkey), rec.encode())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("core: keeping the proof of a conflict: %w", err)
	}
	l.rec = &rec
	return proof, nil
}

// OpenAuthority binds a manifest, as it is encoded in a conflict proof, to a core's key: for merkle.ConflictProof.Verify.
func OpenAuthority(key [32]byte, encoded []byte) (merkle.Authority, error) {
	var m *manifest.Manifest
	if len(encoded) > 0 {
		var err error
		if m, err = manifest.Decode(encoded); err != nil {
			return nil, err
		}
	}
	return manifest.NewAuthority(key, m, manifest.Options{})
}
