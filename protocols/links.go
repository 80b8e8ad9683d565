package protocols

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/protocols/mux"
)

// atOnce is within how long two streams count as opened at the same moment.
const atOnce = 5 * time.Second

// link is one replication stream with a peer.
type link struct {
	peer   peer.ID
	opened bool      // by this side
	since  time.Time // of its beginning
	cancel context.CancelCauseFunc

	conn    mux.Conn      // once it stands
	limited bool          // it goes through a relay
	end     chan struct{} // closed when it has ended
	err     error         // then, why
}

// links are the replication streams with one peer: mostly one, for moments more.
type links struct{ in, out *link }

// up tells whether there is a stream that stands.
func (l *links) up() bool {
	return l != nil && (l.in != nil && l.in.conn != nil || l.out != nil && l.out.conn != nil)
}

func (l *links) empty() bool { return l.in == nil && l.out == nil }

// Connected tells whether a replication stream with a peer stands.
func (s *Service) Connected(p peer.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[p].up()
}

// Peers returns the peers with whom a replication stream stands.
func (s *Service) Peers() []peer.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []peer.ID
	for p, l := range s.links {
		if l.up() {
			list = append(list, p)
		}
	}
	return list
}

// Connect returns once a replication stream with p stands, opening one unless there is. The addresses of p are those of the
// host's peerstore. It fails when the peer cannot be reached, does not speak Replicate, or ctx ends, or with ErrClosed.
func (s *Service) Connect(ctx context.Context, p peer.ID) error {
	for {
		s.mu.Lock()
		l := s.links[p]
		if l.up() {
			s.mu.Unlock()
			return nil
		}
		if l == nil || l.empty() {
			out := &link{peer: p, opened: true, since: time.Now(), end: make(chan struct{})}
			s.putLocked(out)
			s.mu.Unlock()
			if err := s.start(ctx, func(ctx context.Context) { s.serveOut(ctx, out) }); err != nil {
				s.remove(out, err)
				return err
			}
			continue
		}
		pending, changed := l.out, s.changed
		s.mu.Unlock()
		if err := await(ctx, pending, changed); err != nil {
			return err
		}
	}
}

// await waits until links change. The end of the stream that is being opened is an error, unless the peer's goes on.
func await(ctx context.Context, pending *link, changed <-chan struct{}) error {
	var end <-chan struct{}
	if pending != nil {
		end = pending.end
	}
	select {
	case <-end:
		if errors.Is(pending.err, ErrYielded) {
			return nil
		}
		return pending.err
	case <-changed:
		if pending != nil {
			select {
			case <-pending.end:
				if pending.err != nil && !errors.Is(pending.err, ErrYielded) {
					return pending.err
				}
			default:
			}
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Service) putLocked(l *link) {
	entry := s.links[l.peer]
	if entry == nil {
		entry = &links{}
		s.links[l.peer] = entry
	}
	if l.opened {
		entry.out = l
	} else {
		entry.in = l
	}
	s.changedLocked()
}

func (s *Service) changedLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// settle waits until it is clear whether a stream that the peer has opened is the one to go on: when this side's own is to
// survive and is not there yet, the peer's must not be closed, as that may fail.
func (s *Service) settle(ctx context.Context, in *link) bool {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if s.admit(in) {
			return true
		}
		if s.Connected(in.peer) {
			return false
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// admit takes a stream that the peer has opened, and settles which one survives when there is another. It tells false when
// this one is to be given up.
func (s *Service) admit(in *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var retired []*link
	if entry := s.links[in.peer]; entry != nil {
		out := entry.out
		if out != nil && (out.conn == nil || time.Since(out.since) < atOnce) {
			if s.smaller(in.peer) {
				return false
			}
		}
		retired = append(retired, out, entry.in)
	}
	s.putLocked(in)
	for _, l := range retired {
		s.retireLocked(l)
	}
	return true
}

// smaller tells whether this side's id is the smaller one, so that the stream which it opened survives.
func (s *Service) smaller(p peer.ID) bool {
	return bytes.Compare([]byte(s.host.ID()), []byte(p)) < 0
}

// retireLocked ends a stream that another one takes the place of: at once when nothing was said on it, else when its answers
// are out.
func (s *Service) retireLocked(l *link) {
	switch {
	case l == nil:
	case l.conn == nil:
		l.yield(ErrYielded)
	default:
		s.set.Retire(l.conn)
	}
}

// yield cancels a link that may not have begun.
func (l *link) yield(why error) {
	if l.cancel != nil {
		l.cancel(why)
	}
	if l.err == nil {
		l.err = why
	}
}

// stands tells that l's stream is ready.
func (s *Service) stands(l *link, conn mux.Conn, limited bool) bool {
	s.mu.Lock()
	if l.err != nil {
		s.mu.Unlock()
		return false
	}
	first := !s.links[l.peer].up()
	l.conn, l.limited, l.since = conn, limited, time.Now()
	s.changedLocked()
	s.mu.Unlock()
	if first && s.o.Up != nil {
		s.o.Up(l.peer)
	}
	if limited && s.host.Network().Connectedness(l.peer) == network.Connected {
		s.leaveRelay(l.peer)
	}
	return true
}

// remove forgets a stream that has ended.
func (s *Service) remove(l *link, why error) {
	s.mu.Lock()
	entry := s.links[l.peer]
	was := entry.up() || l.conn != nil
	if entry != nil {
		if entry.in == l {
			entry.in = nil
		}
		if entry.out == l {
			entry.out = nil
		}
		if entry.empty() {
			delete(s.links, l.peer)
		}
	}
	if l.err == nil {
		l.err = why
	}
	last := was && !s.links[l.peer].up()
	close(l.end)
	s.changedLocked()
	s.mu.Unlock()
	if last && s.o.Down != nil {
		s.o.Down(l.peer)
	}
}
