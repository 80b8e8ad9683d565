package testnet

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy passes TCP connections on to a target, through links. Its methods may be called from any goroutine.
type Proxy struct {
	listener net.Listener
	target   string
	there    Shape
	back     Shape
	work     sync.WaitGroup

	mu    sync.Mutex // guards what follows
	links map[*Link]struct{}
	seed  uint64
	over  bool
}

// NewProxy listens on a free port of the loopback for the time of a test, and connects who comes with the TCP address
// target: what clients send takes the shape there, what the target sends the shape back.
func NewProxy(t testing.TB, target string, there, back Shape) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, target: target, there: there, back: back, links: map[*Link]struct{}{}}
	p.work.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr returns where the proxy listens, as "host:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Stall lets nothing pass on any connection for a time.
func (p *Proxy) Stall(d time.Duration) {
	p.each(func(l *Link) { l.Stall(d) })
}

// Cut ends all connections.
func (p *Proxy) Cut() { p.each((*Link).Cut) }

func (p *Proxy) each(do func(*Link)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		do(l)
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.listener.Close()
	p.Cut()
	p.work.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.serve(client) })
	}
}

// link returns a link for another connection, cut when the proxy is closed.
func (p *Proxy) link() *Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	there, back := p.there, p.back
	there.Seed, back.Seed = there.Seed+p.seed, back.Seed+p.seed
	p.seed++
	l := NewLink(there, back)
	p.links[l] = struct{}{}
	if p.over {
		l.Cut()
	}
	return l
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	l := p.link()
	a, b := l.Ends()
	var pumps sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, client}, {client, a}, {b, server}, {server, b}} {
		pumps.Go(func() { pump(way[0], way[1]) })
	}
	pumps.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// pump copies from src to dst, and passes the end on: an orderly one in its direction, any other in both.
func pump(dst, src net.Conn) {
	_, err := io.Copy(only{dst}, src)
	half, ok := dst.(interface{ CloseWrite() error })
	if err == nil && ok && half.CloseWrite() == nil {
		return
	}
	dst.Close()
	src.Close()
}

// only hides all of a connection but Write, so that the copy keeps no more than a segment on its way.
type only struct{ io.Writer }
