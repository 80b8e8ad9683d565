package replicate

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// stream is one peer: all cores that are replicated with it.
type stream struct {
	set       *Set
	mux       *mux.Mux
	find      Find
	hash      [64]byte
	initiator bool
	remote    []byte
	inbox     inbox
	backlog   backlog
	gathered  gathered      // of the goroutine that reads
	provers   sync.Pool     // of *core.Prover
	alarm     chan struct{} // holds a token when something is to be looked after in time
	retiring  atomic.Bool
	asks      atomic.Int64 // requests that are not answered, for all cores
	haste     haste        // the urgent ones among them
	applying  baton        // of who applies answers; taken before all locks

	mu      sync.Mutex // guards what follows
	links   map[keys.DiscoveryKey]*link
	opens   []*link // whose channel is to be opened
	ready   []*link // that may have something to send, in turn
	bulk    []*link // that have answers to send which are not urgent, in turn
	offers  offers
	resume  time.Time // until when no answers are sent that are not urgent, and those that are until urgentDebt before
	retired time.Time // since when the stream is being given up
	err     error     // why it is given up
	over    bool
}

// tickEvery is how often is looked after what may get late, while there is something.
const tickEvery = 100 * time.Millisecond

func newStream(s *Set, conn mux.Conn, find Find) *stream {
	st := &stream{
		set: s, find: find, hash: conn.HandshakeHash(), initiator: conn.Initiator(), remote: conn.RemoteKey(),
		links: map[keys.DiscoveryKey]*link{}, alarm: make(chan struct{}, 1), applying: make(baton, 1),
	}
	st.inbox.init()
	st.backlog.init()
	st.offers.init()
	return st
}

// arm has the goroutine that applies look after what may get late.
func (st *stream) arm() {
	select {
	case st.alarm <- struct{}{}:
	default:
	}
}

// open has a channel opened for a core if the peer is to be asked for it, unless there is one.
func (st *stream) open(r *Replicator) {
	d := r.core.DiscoveryKey()
	if !st.sought(r) {
		return
	}
	st.mu.Lock()
	if st.links[d] != nil || st.offers.open[d] || st.over || !st.retired.IsZero() {
		st.mu.Unlock()
		return
	}
	l := newLink(st, r)
	st.links[d] = l
	st.mu.Unlock()
	if !l.enlist() {
		l.gone()
		return
	}
	st.mu.Lock()
	st.opens = append(st.opens, l)
	st.mu.Unlock()
	st.mux.Wake()
}

// sought tells whether the peer is to be asked for a core.
func (st *stream) sought(r *Replicator) bool {
	wanted, seek := r.wanted(), st.set.o.Seek
	if seek == nil {
		return wanted
	}
	return seek(st.remote, r.core.DiscoveryKey(), wanted)
}

// handshake is what opens a channel from this side.
func (st *stream) handshake(key keys.Key) []byte {
	return wire.Handshake{Seeks: true, Capability: wire.Capability(&st.hash, st.initiator, key)}.Append(nil)
}

// capFrames bounds the messages that are read, 0 is as the connection was made: who has proven no key costs little memory. A
// connection that cannot is not bounded.
func (st *stream) capFrames(n int) {
	if c, ok := st.mux.Conn().(interface{ SetMaxMessage(int) }); ok {
		c.SetMaxMessage(n)
	}
}

// fail ends the stream because of err.
func (st *stream) fail(err error) {
	st.mu.Lock()
	if st.err == nil {
		st.err = err
	}
	st.mu.Unlock()
	st.mux.Close()
}

// cause returns why reading has ended with err.
func (st *stream) cause(err error) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.err != nil {
		return st.err
	}
	return err
}

// release lets go who waits to give the stream something when it is over.
func (st *stream) release() {
	st.inbox.close()
	st.backlog.close()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.over = true
	for _, l := range st.links {
		l.requests.close()
	}
}

// forsake lets go of what was not opened when the stream ended.
func (st *stream) forsake() {
	st.mu.Lock()
	var rest []*link
	for _, l := range st.links {
		rest = append(rest, l)
	}
	clear(st.links)
	st.mu.Unlock()
	for _, l := range rest {
		l.leave()
	}
}

// openAll opens the channels that are to be opened.
func (st *stream) openAll() {
	st.mu.Lock()
	opens := st.opens
	st.opens = nil
	st.mu.Unlock()
	for _, l := range opens {
		r := l.replicator
		d := r.core.DiscoveryKey()
		st.mu.Lock()
		mine := st.links[d] == l && !st.offers.open[d]
		st.mu.Unlock()
		if !mine {
			l.gone()
			continue
		}
		l.direct.Store(true) // what the peer sent ahead is delivered by this goroutine
		c, err := st.mux.Open(mux.Spec{Protocol: wire.Protocol, Aliases: []string{wire.Alias}, ID: d[:], Handshake: st.handshake(r.core.Key())}, l)
		l.direct.Store(false)
		if err != nil {
			l.gone()
			continue
		}
		l.own(c)
	}
}
