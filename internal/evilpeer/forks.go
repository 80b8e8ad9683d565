package evilpeer

import (
	"bytes"
	"context"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// onForks is what can be said about heads and forks.
func onForks() []Misbehaviour {
	return []Misbehaviour{
		{Name: "forged upgrade", What: "a longer head that nobody signed", Run: lie(liar{first: longer, answer: longerProof})},
		{Name: "forged signature", What: "the right head with another signature", Run: forge(func(p *merkle.Proof) {
			if p.Upgrade != nil && len(p.Upgrade.Signature) > 40 {
				p.Upgrade.Signature = bytes.Clone(p.Upgrade.Signature)
				p.Upgrade.Signature[40] ^= 1
			}
		})},
		{Name: "unsigned upgrade", What: "the right head without a signature", Run: forge(func(p *merkle.Proof) {
			if p.Upgrade != nil {
				p.Upgrade.Signature = nil
			}
		})},
		{Name: "stale upgrade", What: "an upgrade from another length", Run: forge(func(p *merkle.Proof) {
			if p.Upgrade != nil {
				p.Upgrade.Start++
			}
		})},
		{Name: "replayed head", What: "a head that was right once, for every request", Run: lie(liar{answer: replay})},
		{Name: "shorter head", What: "claims the old head, and forgets the newer one", Run: lie(liar{first: shorter, answer: replay})},
		{Name: "manifest swap", What: "another core's manifest", Run: forge(func(p *merkle.Proof) {
			if len(p.Manifest) > 10 {
				p.Manifest = bytes.Clone(p.Manifest)
				p.Manifest[len(p.Manifest)-5] ^= 1
			}
		})},
		{Name: "withheld manifest", What: "a head without the manifest", Run: forge(func(p *merkle.Proof) { p.Manifest = nil })},
		{Name: "later fork", What: "claims a later fork and cannot show it", Run: lie(liar{first: laterFork, answer: relabelled})},
		{Name: "fork spam", What: "a later fork each time", Run: again(forkSpam)},
		{Name: "shrinking head", What: "grows and shrinks without end", Run: again(shrinking)},
		{Name: "conflict spam", What: "proofs of conflicts that are none", Run: again(conflictSpam), Budget: Budget{Heap: 48 << 20}},
	}
}

func longer(s wire.Sync) wire.Sync {
	s.Length += 1000
	return s
}

// longerProof claims the 1000 blocks more.
func longerProof(l *lies, q *merkle.Request) []mux.Message {
	if q.Upgrade == nil {
		return l.honest(q, nil)
	}
	length := q.Upgrade.Length
	real := *q
	real.Upgrade = &merkle.UpgradeRequest{Start: q.Upgrade.Start, Length: l.speaker.target.Wants.Head().Length - q.Upgrade.Start}
	return l.honest(&real, func(p *merkle.Proof) {
		if p.Upgrade != nil {
			p.Upgrade.Length = length
		}
	})
}

// replay answers with the old head, whatever is asked about heads.
func replay(l *lies, q *merkle.Request) []mux.Message {
	old := l.speaker.target.Old
	if q.Upgrade == nil || old == nil {
		return l.honest(q, nil)
	}
	p := *old
	p.Request = q.ID
	return []mux.Message{data(&p)}
}

func shorter(s wire.Sync) wire.Sync {
	s.Length /= 2
	return s
}

func laterFork(s wire.Sync) wire.Sync {
	s.Fork += 5
	return s
}

// relabelled answers for a later fork with what there is of the present one.
func relabelled(l *lies, q *merkle.Request) []mux.Message {
	real := *q
	real.Fork = l.speaker.target.Wants.Head().Fork
	return l.honest(&real, func(p *merkle.Proof) { p.Fork = q.Fork })
}

// spam floods the core that the target wants, while it reads the answers.
func spam(ctx context.Context, s *Speaker, next func(i int) mux.Message) error {
	if err := s.enter(s.target.Wants.Key(), empty()); err != nil {
		return err
	}
	return s.listening(ctx, next)
}

func forkSpam(ctx context.Context, s *Speaker) error {
	return spam(ctx, s, func(i int) mux.Message {
		m := wire.Sync{Fork: uint64(i + 1), Length: 10, CanUpgrade: true, Uploading: true, Downloading: true, HasManifest: true}
		return message(1, wire.TypeSync, m.Append(nil))
	})
}

func shrinking(ctx context.Context, s *Speaker) error {
	return spam(ctx, s, func(i int) mux.Message {
		m := wire.Sync{Length: uint64(1_000_000 * (i % 2)), CanUpgrade: true, Uploading: true, Downloading: true, HasManifest: true}
		return message(1, wire.TypeSync, m.Append(nil))
	})
}

// unasked is a proof that nobody asked for, of the whole head and of a block.
func unasked(ctx context.Context, s *Speaker) (*merkle.Proof, error) {
	return s.target.Wants.Prove(ctx, &merkle.Request{
		Upgrade: &merkle.UpgradeRequest{Length: s.target.Wants.Head().Length}, Block: &merkle.BlockRequest{Index: 1}, Manifest: true,
	})
}

func conflictSpam(ctx context.Context, s *Speaker) error {
	p, err := unasked(ctx, s)
	if err != nil {
		return err
	}
	p.Block = nil
	m := data(p)
	return spam(ctx, s, func(int) mux.Message { return m })
}

func pushSpam(ctx context.Context, s *Speaker) error {
	p, err := unasked(ctx, s)
	if err != nil {
		return err
	}
	m := data(p)
	return spam(ctx, s, func(int) mux.Message { return m })
}
