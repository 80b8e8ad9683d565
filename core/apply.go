package core

import (
	"context"
	"errors"

	"github.com/hypernode/hypernode/core/merkle"
)

// Verdict is what Apply made of one proof.
type Verdict struct {
	// Err is nil, or wraps ErrInvalidProof, or is a *ConflictError when the proof showed a second history.
	Err error
	// Applied: something of the proof was stored, or all of it was here. With neither Applied nor Err the proof had
	// nothing to say: it is of an older fork, or of an empty one, or has been overtaken.
	Applied bool
	// Upgraded: the log got longer, or moved to another fork.
	Upgraded bool
	// Next is set when the proof is of a later fork and more must be known before the log can move there: the request to send next.
	Next *merkle.Request
}

// Apply is the door for what peers send: it verifies proofs and stores what they prove, in one commit as far as it can. Nothing that
// does not verify is stored. The verdicts stand in the order of the proofs; the error is that of the store, or why the core takes
// nothing.
//
// A proof of a later fork begins a move to that fork, see Verdict.Next; one of an older fork is ignored. A proof without a request
// that starts from nothing and is not longer than our log is compared with it: when it proves a second history the core is
// frozen. An upgrade that starts before the end of our log has been overtaken, and is left out.
// What is stored need not be on stable storage when Apply returns, but for a new fork and a conflict.
func (c *Core) Apply(ctx context.Context, proofs ...*merkle.Proof) ([]Verdict, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	l := c.log
	leaves := hashBlocks(proofs) // of several calls at the same time
	l.write.Lock()
	defer l.write.Unlock()
	verdicts := make([]Verdict, len(proofs))
	for next := 0; next < len(proofs); {
		if err := l.usable(); err != nil {
			return verdicts, err
		}
		n, err := l.applySome(ctx, proofs[next:], leaves[next:], verdicts[next:])
		if err != nil {
			clear(verdicts[next:]) // what was found to be right was not kept
			return verdicts, err
		}
		next += n
	}
	return verdicts, nil
}

// writer tells whether this node signs the core: then what is newer than we know was signed here and forgotten.
func (l *log) writer() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.signer || l.rec.secret || len(l.rec.Origin) > 0
}

// applySome applies the leading proofs that can share a commit, at least one, and returns how many.
func (l *log) applySome(ctx context.Context, proofs []*merkle.Proof, leaves []merkle.Node, verdicts []Verdict) (int, error) {
	st, err := l.rooted(ctx)
	if err != nil {
		return 0, err
	}
	if err := l.learn(ctx, proofs[0]); errors.Is(err, ErrInvalidProof) {
		verdicts[0].Err = err
		return 1, nil
	} else if err != nil {
		return 0, err
	}
	switch p := proofs[0]; {
	case p.Fork > st.fork && !bare(p):
		return 1, l.applyFork(ctx, st, p, &verdicts[0])
	case p.Fork != st.fork: // an older one, or one of no blocks
		return 1, nil
	case p.Request == 0 && p.Upgrade != nil && p.Upgrade.Start == 0 && p.Upgrade.Length <= st.length && l.auth != nil:
		return 1, l.compare(ctx, st, p, &verdicts[0])
	}
	a := &applying{log: l, from: st, tree: st.tree(), leaves: leaves}
	n, err := a.verify(ctx, proofs, verdicts)
	if err != nil {
		return 0, err
	}
	return n, a.commit(ctx)
}
