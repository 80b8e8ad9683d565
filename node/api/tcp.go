package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// Limits on what comes by TCP.
const (
	maxConnections = 128      // of each address
	maxHeader      = 16 << 10 // bytes
	idleAfter      = 2 * time.Minute
)

// door is a listener with the server behind it.
type door struct {
	net.Listener
	server *http.Server
}

// at is the door's address for clients by TCP.
func (d door) at() string { return "http://" + d.Addr().String() }

// listenTCP binds the addresses that are configured for control by TCP, each of which must be bound.
func (s *server) listenTCP() (doors []door, err error) {
	c := s.n.Config()
	if len(c.API.Listen) == 0 {
		return nil, nil
	}
	known, err := openTokens(c)
	if err != nil {
		return nil, err
	}
	g := &guard{known, c.API.Hosts, s.log}
	for _, at := range c.API.Listen {
		l, err := net.Listen("tcp", at)
		if err != nil {
			for _, d := range doors {
				err = errors.Join(err, d.Close())
			}
			return nil, fmt.Errorf("listening for control at %s: %w", at, err)
		}
		if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
			s.log.Warn("the node can be controlled from other machines, and what is said is not encrypted", "address", at)
		}
		doors = append(doors, door{netutil.LimitListener(l, maxConnections), &http.Server{
			Handler: g.wrap(s.mux(g.allowed)), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: idleAfter, MaxHeaderBytes: maxHeader,
		}})
	}
	return doors, nil
}
