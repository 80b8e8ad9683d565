package mirror

import (
	"context"
	"iter"
	"strings"
)

// pair is what two trees have at one path: one side may be nil.
type pair struct{ want, have *entry }

// join yields the paths of two listings in their common order. It yields nothing of the target that lies at or below a note of
// either tree: what stands in a place that could not be looked at is not known.
func join(ctx context.Context, from, to iter.Seq2[entry, error]) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		a, stopA := iter.Pull2(from)
		defer stopA()
		b, stopB := iter.Pull2(to)
		defer stopB()
		left, right := puller{next: a}, puller{next: b}
		var shade shade
		for ctx.Err() == nil {
			want, err := left.peek()
			if err != nil {
				yield(pair{}, err)
				return
			}
			have, err := right.peek()
			if err != nil {
				yield(pair{}, err)
				return
			}
			var p pair
			switch {
			case want == nil && have == nil:
				return
			case have == nil || want != nil && want.path < have.path:
				p.want = left.take()
			case want == nil || have.path < want.path:
				p.have = right.take()
			default:
				p.want, p.have = left.take(), right.take()
			}
			if !shade.pass(&p) {
				continue
			}
			if !yield(p, nil) {
				return
			}
		}
		yield(pair{}, ctx.Err())
	}
}

// puller looks one ahead in a listing.
type puller struct {
	next  func() (entry, error, bool)
	ahead *entry
	done  bool
}

func (p *puller) peek() (*entry, error) {
	if p.ahead == nil && !p.done {
		e, err, ok := p.next()
		if err != nil {
			return nil, err
		}
		if p.done = !ok; ok {
			p.ahead = &e
		}
	}
	return p.ahead, nil
}

func (p *puller) take() *entry {
	e := p.ahead
	p.ahead = nil
	return e
}

// shade hides what lies at or below the notes of the trees. Since "a-b" comes between "a" and "a/b", a note counts until a path that
// comes after all that is below it.
type shade struct{ notes []string }

func (s *shade) pass(p *pair) bool {
	path := ""
	for _, e := range []*entry{p.want, p.have} {
		if e != nil {
			path = e.path
			if e.note != nil {
				s.notes = append(s.notes, e.path)
			}
		}
	}
	kept := s.notes[:0]
	for _, n := range s.notes {
		if path < n+"0" || n == "" {
			kept = append(kept, n)
		}
	}
	s.notes = kept
	for _, n := range s.notes {
		if n == "" || path == n || strings.HasPrefix(path, n+"/") {
			p.have = nil
			return p.want != nil
		}
	}
	return true
}
