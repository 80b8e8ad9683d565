package main

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hypernode/hypernode/internal/testnet"
)

// linkTask is a network between two peers.
type linkTask struct {
	Trip time.Duration // from one to the other and back
	Rate int           // bytes per second each way; 0 is no limit
}

// linkQueue is about how many bytes wait in the kernel on each side of a link.
const linkQueue = 64 << 10

// passOn passes connections on to the task's port over a link, until stdin ends.
func passOn(ctx context.Context, t *task) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	port, err := accept(ctx, &work, func(ctx context.Context, conn net.Conn) { between(ctx, t, conn) })
	if err != nil {
		return nil, err
	}
	return figures{}, obey(hello{Port: port}, func(string) (figures, error) { return figures{"cpu": cpuSeconds()}, nil })
}

// between joins a connection with a new one to the task's port.
func between(ctx context.Context, t *task, client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", address(t.Ports[0]))
	if err != nil {
		return
	}
	defer server.Close()
	shape := testnet.Shape{Delay: t.Link.Trip / 2, Rate: t.Link.Rate}
	link := testnet.NewLink(shape, shape)
	a, b := link.Ends()
	stop := context.AfterFunc(ctx, func() { link.Cut(); client.Close(); server.Close() })
	defer stop()
	var pumps sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, client}, {client, a}, {b, server}, {server, b}} {
		for _, c := range way {
			narrow(c)
		}
		pumps.Go(func() {
			io.Copy(struct{ io.Writer }{way[0]}, way[1])
			way[0].Close()
			way[1].Close()
		})
	}
	pumps.Wait()
}

// narrow has the kernel keep little of what waits for the link: the queue is to be the link's own.
func narrow(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(linkQueue)
		_ = tcp.SetWriteBuffer(linkQueue)
	}
}
