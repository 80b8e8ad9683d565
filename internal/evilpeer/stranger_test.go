package evilpeer

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// moments gathers a mean and a variance.
type moments struct{ n, sum, squares float64 }

func (m *moments) add(x float64) { m.n, m.sum, m.squares = m.n+1, m.sum+x, m.squares+x*x }

func (m *moments) mean() float64 { return m.sum / m.n }

func (m *moments) variance() float64 { return m.squares/m.n - m.mean()*m.mean() }

// welch is how many standard errors two means lie apart.
func welch(a, b *moments) float64 {
	return math.Abs(a.mean()-b.mean()) / math.Sqrt(a.variance()/a.n+b.variance()/b.n)
}

// asker opens channels with wrong proofs, and measures when they are rejected.
type asker struct {
	known     keys.DiscoveryKey
	mu        sync.Mutex
	times     map[bool]*moments // by whether the core is there
	otherwise int               // answers that are no rejects
}

// A stranger cannot tell a core that is there from one that is not, neither by the answer nor by its time.
func TestStrangersLearnNothing(t *testing.T) {
	const rounds, streams, asks = 4, 50, 10
	p := startVictim(t)
	target := NewTarget(p.addr, p.serves, nil)
	a := &asker{known: p.serves.Discovery(), times: map[bool]*moments{true: {}, false: {}}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range rounds {
		clones(streams, func(ctx context.Context, t *Target) {
			once(ctx, t, func(_ context.Context, s *Speaker) error { return a.ask(s, asks) })
		})(ctx, target)
	}
	there, absent := a.times[true], a.times[false]
	if there.n < rounds*streams/2 || absent.n < there.n*(asks-1) || a.otherwise > 0 {
		t.Fatalf("%v and %v rejects, %d other answers", there.n, absent.n, a.otherwise)
	}
	if apart := welch(there, absent); apart > 4.5 {
		t.Errorf("rejected after %.2f ms when the core is there, %.2f ms when not: %.1f standard errors", there.mean(), absent.mean(), apart)
	}
}

// ask opens a core that is there, at a place up to chance, among others that are not.
func (a *asker) ask(s *Speaker, n int) error {
	began := map[uint64]time.Time{}
	there := map[uint64]bool{1 + rand.Uint64N(uint64(n)): true}
	for number := uint64(1); number <= uint64(n); number++ {
		d := keys.DiscoveryKey{byte(number), byte(rand.Uint32()), 1}
		if there[number] {
			d = a.known
		}
		began[number] = time.Now()
		if err := s.Send(open(number, wire.Protocol, d[:], s.proof(true, keys.Key{7}))); err != nil {
			return err
		}
	}
	left := n
	return s.Listen(func(m mux.Message) error {
		number := compact.NewDecoder(m.Payload).Uint()
		a.mu.Lock()
		defer a.mu.Unlock()
		if m.Channel != 0 || m.Type != controlReject {
			a.otherwise++
			return nil
		}
		a.times[there[number]].add(float64(time.Since(began[number])) / float64(time.Millisecond))
		if left--; left == 0 {
			return errNotOpen
		}
		return nil
	})
}
