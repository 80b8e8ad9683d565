package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/swarm"
)

// maxBody is the most bytes of a request that is no tree.
const maxBody = 1 << 20

// Status is what GET /v1/status gives.
type Status struct {
	node.Status
	Version string `json:"version"`
	PID     int    `json:"pid"`
}

// Options are the settings of a server.
type Options struct {
	Version string
	// Stop is called when the node is to end. It must not block.
	Stop func()
	// Ready, if it is not nil, is called once requests are answered, with the addresses of control by TCP, as http://HOST:PORT.
	Ready func(control []string)
	// Logger gets what is noteworthy about requests by TCP; nil means nobody does. It never gets a token.
	Logger *slog.Logger
	// Registry has further figures for /metrics; it may be nil.
	Registry *Registry
	// Command carries out a command line on the node's store and returns its exit code; nil means that none are.
	Command func(ctx context.Context, c Command) int
}

// Serve answers at the socket of a node, and at the addresses of config.API.Listen, until ctx ends, then ends what is going on, waits
// for it, removes the socket and returns nil.
func Serve(ctx context.Context, n *node.Node, path string, o Options) error {
	l, err := listen(path)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	defer signpost(n.Config(), path)()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := newServer(n, o)
	doors, err := s.listenTCP()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	at := []string{}
	for _, d := range doors {
		at = append(at, d.at())
	}
	doors = append(doors, door{l, &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}})
	g, gctx := errgroup.WithContext(ctx)
	for _, d := range doors {
		d.server.BaseContext = func(net.Listener) context.Context { return ctx }
		g.Go(func() error { return d.answer(gctx) })
	}
	if o.Ready != nil {
		o.Ready(at)
	}
	err = g.Wait()
	s.commands.Wait()
	return err
}

// answer serves until ctx ends, then waits for what is going on.
func (d door) answer(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- d.server.Serve(d.Listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving at %s: %w", d.Addr(), err)
	case <-ctx.Done():
	}
	shut, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	err := d.server.Shutdown(shut)
	if err != nil {
		err = d.server.Close()
	}
	<-ended
	return err
}

// server answers requests.
type server struct {
	n        *node.Node
	o        Options
	log      *slog.Logger
	commands sync.WaitGroup // that are being carried out
}

func newServer(n *node.Node, o Options) *server {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &server{n: n, o: o, log: log}
}

// Handler returns what answers requests, for callers with a listener of their own. It checks nobody.
func Handler(n *node.Node, o Options) http.Handler { return newServer(n, o).handler() }

// handler answers at the socket, where only the node's user comes.
func (s *server) handler() http.Handler {
	mux := s.mux(nil)
	profile(mux)
	return mux
}

func fail(w http.ResponseWriter, err error) {
	e := judge(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	json.NewEncoder(w).Encode(e)
}

func give(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// take decodes a request's body, which may be empty.
func take(r *http.Request, v any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return invalid("the request cannot be read: %s", err)
	}
	return nil
}

func key(r *http.Request) (keys.Key, error) { return keys.Parse(r.PathValue("key")) }

func (s *server) status(w http.ResponseWriter, _ *http.Request) error {
	return give(w, Status{s.n.Status(), s.o.Version, os.Getpid()})
}

func (s *server) peers(w http.ResponseWriter, _ *http.Request) error {
	return give(w, s.n.Status().Peers)
}

func (s *server) seeds(w http.ResponseWriter, _ *http.Request) error { return give(w, s.n.Seeds()) }

func (s *server) seed(w http.ResponseWriter, r *http.Request) error {
	k, err := key(r)
	if err != nil {
		return err
	}
	var o node.SeedOptions
	if err := take(r, &o); err != nil {
		return err
	}
	if err := s.n.Seed(r.Context(), k, o); err != nil {
		return err
	}
	return give(w, struct{}{})
}

func (s *server) unseed(w http.ResponseWriter, r *http.Request) error {
	k, err := key(r)
	if err != nil {
		return err
	}
	if err := s.n.Unseed(r.Context(), k); err != nil {
		return err
	}
	return give(w, struct{}{})
}

func (s *server) hints(w http.ResponseWriter, r *http.Request) error {
	k, err := key(r)
	if err != nil {
		return err
	}
	var list []string
	if err := take(r, &list); err != nil {
		return err
	}
	peers, err := swarm.Peers("hint", list)
	if err != nil {
		return invalid("%s", err)
	}
	s.n.Hint(k.Discovery(), peers...)
	return give(w, struct{}{})
}

func (s *server) stop(w http.ResponseWriter, _ *http.Request) error {
	if s.o.Stop == nil {
		return &Error{http.StatusNotImplemented, "this node is stopped by the program that it is part of", CodeRefused}
	}
	defer s.o.Stop()
	return give(w, struct{}{})
}

func (s *server) healthy(w http.ResponseWriter, _ *http.Request) error {
	if e := s.n.Status().StoreError; e != "" {
		return &Error{http.StatusServiceUnavailable, e, CodeFailed}
	}
	return give(w, struct{}{})
}

// peerHints makes hints of addresses, for callers that have them as texts.
func peerHints(list []peer.AddrInfo) (texts []string) {
	for _, p := range list {
		for _, a := range p.Addrs {
			texts = append(texts, a.String()+"/p2p/"+p.ID.String())
		}
	}
	return texts
}
