package node

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	lswarm "github.com/libp2p/go-libp2p/p2p/net/swarm"
)

const (
	firstPause = 500 * time.Millisecond // after the first failure; each further one doubles it
	longPause  = 5 * time.Minute
	maxFails   = 8                // a peer that fails so often in a row is forgotten until it is found again
	dialTime   = 20 * time.Second // for one attempt

	// addressTime is how long the addresses of a peer are kept for attempts.
	addressTime = 2*time.Minute + longPause

	// joining is how long a peer that is connected has to say what it holds of a core.
	joining = 2 * time.Second
)

// dialer connects to the peers that were found, so many at a time, and again when they are lost.
type dialer struct {
	n     *Node
	slots chan struct{}
	work  chan peer.ID

	mu      sync.Mutex // guards what follows
	targets map[peer.ID]*target
	changed chan struct{} // closed when an attempt ends
}

// target is a peer that shall be connected.
type target struct {
	keep    bool // never forget it: known by name
	busy    bool // an attempt runs, or waits for its turn
	tried   bool // an attempt has ended
	fails   int
	next    time.Time // not before
	retry   *time.Timer
	dropped bool
}

func newDialer(n *Node) *dialer {
	return &dialer{
		n: n, slots: make(chan struct{}, n.config.Limits.Dials), work: make(chan peer.ID, 64),
		targets: map[peer.ID]*target{}, changed: make(chan struct{}),
	}
}

// want asks for a connection with a peer. Its addresses are kept for as long as a dial may need them.
func (d *dialer) want(p peer.AddrInfo) {
	d.n.host.Peerstore().AddAddrs(p.ID, p.Addrs, addressTime)
	if d.n.service.Connected(p.ID) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queueLocked(p.ID)
}

// stay asks for a connection that is made again whenever it is lost.
func (d *dialer) stay(p peer.AddrInfo) {
	d.mu.Lock()
	d.targetLocked(p.ID).keep = true
	d.mu.Unlock()
	d.n.host.Peerstore().AddAddrs(p.ID, p.Addrs, peerstore.PermanentAddrTTL)
	d.want(p)
}

func (d *dialer) targetLocked(p peer.ID) *target {
	t := d.targets[p]
	if t == nil {
		t = &target{}
		d.targets[p] = t
	}
	return t
}

// queueLocked has an attempt made as soon as it is due.
func (d *dialer) queueLocked(p peer.ID) {
	t := d.targetLocked(p)
	if t.busy || t.dropped {
		return
	}
	wait := time.Until(t.next)
	if wait > 0 {
		if t.retry == nil {
			t.retry = time.AfterFunc(wait, func() { d.due(p) })
		}
		return
	}
	select {
	case d.work <- p:
		t.busy = true
	default: // too many wait: this one comes again with the next lookup, or a little later
		t.next = time.Now().Add(firstPause)
		if t.retry == nil {
			t.retry = time.AfterFunc(firstPause, func() { d.due(p) })
		}
	}
}

// due is called when a pause is over.
func (d *dialer) due(p peer.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.targets[p]
	if t == nil {
		return
	}
	t.retry = nil
	if !d.n.service.Connected(p) {
		d.queueLocked(p)
	}
}

// run makes the attempts until ctx ends.
func (d *dialer) run(ctx context.Context) error {
	var attempts sync.WaitGroup
	for ctx.Err() == nil {
		select {
		case p := <-d.work:
			select {
			case d.slots <- struct{}{}:
				attempts.Go(func() {
					defer func() { <-d.slots }()
					d.attempt(ctx, p)
				})
			case <-ctx.Done():
			}
		case <-ctx.Done():
		}
	}
	attempts.Wait()
	d.stop()
	return nil
}

// stop ends the pauses; no more begin.
func (d *dialer) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.targets {
		t.dropped = true
		if t.retry != nil {
			t.retry.Stop()
		}
	}
}

func (d *dialer) attempt(ctx context.Context, p peer.ID) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	if s, ok := d.n.host.Network().(interface{ Backoff() *lswarm.DialBackoff }); ok {
		s.Backoff().Clear(p) // the pauses are made here
	}
	err := d.n.service.Connect(ctx, p)
	if err != nil {
		d.n.missed(p)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.targetLocked(p)
	t.busy, t.tried = false, true
	close(d.changed)
	d.changed = make(chan struct{})
	if err == nil {
		t.fails = 0
		return
	}
	d.n.log.Debug("dialling failed", "peer", p, "reason", err)
	t.fails++
	if t.fails >= maxFails && !t.keep {
		delete(d.targets, p)
		return
	}
	t.next = time.Now().Add(pause(t.fails))
	if ctx.Err() == nil || t.keep {
		d.queueLocked(p)
	}
}

// pause is how long to wait after so many failures, varied so that many peers do not return at once.
func pause(fails int) time.Duration {
	p := min(firstPause<<min(fails-1, 20), longPause)
	return p/2 + rand.N(p)
}

// up is told that a stream with a peer stands.
func (d *dialer) up(p peer.ID) {
	d.n.meets(p)
	d.n.reached(p)
	d.n.host.ConnManager().TagPeer(p, streamTag, streamWorth)
	d.mu.Lock()
	t := d.targetLocked(p)
	t.fails, t.tried = 0, true
	d.mu.Unlock()
}

// down is told that the last stream with a peer has ended. One that the node wants is dialled again.
func (d *dialer) down(p peer.ID) {
	d.n.host.ConnManager().UntagPeer(p, streamTag)
	d.n.host.ConnManager().UntagPeer(p, coreTag)
	d.n.lost(p)
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.targets[p]; t != nil && (t.keep || d.n.wanted(p)) {
		t.next = time.Now().Add(pause(1))
		d.queueLocked(p)
		return
	}
	delete(d.targets, p)
}

// wanted tells whether a peer was found for a topic that is still looked for, or is on the LAN.
func (n *Node) wanted(p peer.ID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lan[string(p)] {
		return true
	}
	for _, t := range n.topics {
		if s := t.peers[p]; s != 0 && s != spare && t.lookup != nil {
			return true
		}
	}
	return false
}

// settled returns once a first attempt has been made at each peer of a list.
func (d *dialer) settled(ctx context.Context, list func() []peer.ID) {
	for {
		peers := list()
		d.mu.Lock()
		changed, pending := d.changed, false
		for _, p := range peers {
			t := d.targets[p]
			pending = pending || t != nil && !t.tried
		}
		d.mu.Unlock()
		if !pending {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
