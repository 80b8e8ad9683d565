package evilpeer

import (
	"context"
	"time"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// liar offers the core that the target wants. What it leaves out is honest.
type liar struct {
	first  func(honest wire.Sync) wire.Sync
	answer func(l *lies, q *merkle.Request) []mux.Message
	cancel func(l *lies, id uint64) []mux.Message
}

// lies are those of one stream.
type lies struct {
	speaker *Speaker
	prove   func(q *merkle.Request) (*merkle.Proof, error) // what is true
	rest    func(d time.Duration)
}

// liars is how many lie at a time: nine of ten peers.
const liars = 9

// lie runs liars.
func lie(l liar) func(context.Context, *Target) {
	return clones(liars, again(func(ctx context.Context, s *Speaker) error { return l.speak(ctx, s) }))
}

func (l *liar) speak(ctx context.Context, s *Speaker) error {
	head := s.target.Wants.Head()
	first := wire.Sync{Fork: head.Fork, Length: head.Length, CanUpgrade: true, Uploading: true, Downloading: true, HasManifest: true}
	if l.first != nil {
		first = l.first(first)
	}
	if err := s.enter(s.target.Wants.Key(), first); err != nil {
		return err
	}
	if err := s.Send(message(1, wire.TypeRange, wire.Range{Length: first.Length}.Append(nil))); err != nil {
		return err
	}
	state := &lies{
		speaker: s,
		prove:   func(q *merkle.Request) (*merkle.Proof, error) { return s.target.Wants.Prove(ctx, q) },
		rest:    func(d time.Duration) { rest(ctx, d) },
	}
	return s.Listen(func(m mux.Message) error { return l.hear(state, m) })
}

// hear answers what the target says on the only channel.
func (l *liar) hear(state *lies, m mux.Message) error {
	if m.Channel == 0 {
		return nil
	}
	var back []mux.Message
	switch wire.Type(m.Type) {
	case wire.TypeRequest:
		q, err := merkle.DecodeRequest(m.Payload)
		if err != nil {
			return err
		}
		back = l.reply(state, q)
	case wire.TypeCancel:
		c, err := wire.DecodeCancel(m.Payload)
		if err != nil || l.cancel == nil {
			return err
		}
		back = l.cancel(state, c.Request)
	}
	if len(back) == 0 {
		return nil
	}
	return state.speaker.Send(back...)
}

func (l *liar) reply(state *lies, q *merkle.Request) []mux.Message {
	if l.answer != nil {
		return l.answer(state, q)
	}
	return state.honest(q, nil)
}

// honest is the right answer, once change was let at it.
func (l *lies) honest(q *merkle.Request, change func(p *merkle.Proof)) []mux.Message {
	p, err := l.prove(q)
	if err != nil {
		return l.none(q)
	}
	if change != nil {
		change(p)
	}
	return []mux.Message{data(p)}
}

func (l *lies) none(q *merkle.Request) []mux.Message {
	return []mux.Message{message(1, wire.TypeNoData, wire.NoData{Request: q.ID, Reason: wire.ReasonNotAvailable}.Append(nil))}
}

func data(p *merkle.Proof) mux.Message {
	return message(1, wire.TypeData, merkle.AppendProof(nil, p))
}

// falsify is a liar that is honest about the head, and changes the answers about blocks.
func falsify(change func(p *merkle.Proof)) func(context.Context, *Target) {
	return lie(liar{answer: func(l *lies, q *merkle.Request) []mux.Message {
		if q.Block == nil {
			return l.honest(q, nil)
		}
		return l.honest(q, change)
	}})
}

// forge is a liar that changes the answers about the head.
func forge(change func(p *merkle.Proof)) func(context.Context, *Target) {
	return lie(liar{answer: func(l *lies, q *merkle.Request) []mux.Message {
		if q.Upgrade == nil {
			return l.honest(q, nil)
		}
		return l.honest(q, change)
	}})
}
