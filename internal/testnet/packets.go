package testnet

import (
	"net"
	"sync"
	"testing"
	"time"
)

// PacketProxy passes UDP packets on to a target, and its answers back. Its methods may be called from any goroutine.
type PacketProxy struct {
	conn   *net.UDPConn // towards the clients
	target *net.UDPAddr
	there  Shape
	back   Shape
	work   sync.WaitGroup

	mu      sync.Mutex // guards what follows
	clients map[string]*client
	seed    uint64
	over    bool
	stalled time.Time // what arrives before is lost
}

// client is who sends from one address.
type client struct {
	server      *net.UDPConn // towards the target
	there, back *flight
}

// maxPacket is the greatest size of a UDP packet.
const maxPacket = 64 << 10

// NewPacketProxy listens on a free UDP port of the loopback for the time of a test, and exchanges packets between who sends
// there and the UDP address target. A Shape's Unsent is how long its queue gets before packets are lost.
func NewPacketProxy(t testing.TB, target string, there, back Shape) *PacketProxy {
	t.Helper()
	to, err := net.ResolveUDPAddr("udp", target)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &PacketProxy{conn: conn, target: to, there: there, back: back, clients: map[string]*client{}}
	p.work.Go(p.listen)
	t.Cleanup(p.close)
	return p
}

// Addr returns where the proxy listens, as "host:port".
func (p *PacketProxy) Addr() string { return p.conn.LocalAddr().String() }

// Block loses all packets for a time.
func (p *PacketProxy) Block(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = later(p.stalled, time.Now().Add(d))
}

func (p *PacketProxy) blocked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over || time.Now().Before(p.stalled)
}

func (p *PacketProxy) close() {
	p.mu.Lock()
	p.over = true
	for _, c := range p.clients {
		c.server.Close()
		c.there.stop()
		c.back.stop()
	}
	p.mu.Unlock()
	p.conn.Close()
	p.work.Wait()
}

func (p *PacketProxy) listen() {
	b := make([]byte, maxPacket)
	for {
		n, from, err := p.conn.ReadFromUDP(b)
		if err != nil {
			return
		}
		if c := p.client(from); c != nil && !p.blocked() {
			c.there.send(b[:n])
		}
	}
}

// client returns the client of an address, a new one if need be; nil when that cannot be.
func (p *PacketProxy) client(from *net.UDPAddr) *client {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := from.String()
	if c := p.clients[name]; c != nil || p.over {
		return c
	}
	server, err := net.DialUDP("udp", nil, p.target)
	if err != nil {
		return nil
	}
	there, back := p.there, p.back
	there.Seed, back.Seed = there.Seed+p.seed, back.Seed+p.seed
	p.seed++
	c := &client{
		server: server,
		there:  newFlight(there, func(b []byte) { server.Write(b) }),
		back:   newFlight(back, func(b []byte) { p.conn.WriteToUDP(b, from) }),
	}
	p.clients[name] = c
	p.work.Go(func() { p.answer(c) })
	return c
}

// answer passes on what the target sends to a client.
func (p *PacketProxy) answer(c *client) {
	b := make([]byte, maxPacket)
	for {
		n, err := c.server.Read(b)
		if err != nil {
			if p.ended() {
				return
			}
			continue // nobody listened at the target
		}
		if !p.blocked() {
			c.back.send(b[:n])
		}
	}
}

func (p *PacketProxy) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over
}
