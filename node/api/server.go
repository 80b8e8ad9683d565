package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

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
	// Ready, if it is not nil, is called once requests are answered.
	Ready func()
	// Registry has further figures for /metrics; it may be nil.
	Registry *Registry
	// Command carries out a command line on the node's store and returns its exit code; nil means that none are.
	Command func(ctx context.Context, c Command) int
}

// Serve answers at the socket of a node until ctx ends, then ends what is going on, waits for it, removes the socket and
// returns nil.
func Serve(ctx context.Context, n *node.Node, path string, o Options) error {
	l, err := listen(path)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	defer signpost(n.Config(), path)()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{n: n, o: o}
	server := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	if o.Ready != nil {
		o.Ready()
	}
	select {
	case err = <-ended:
		return fmt.Errorf("serving the socket: %w", err)
	case <-ctx.Done():
	}
	shut, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	if err = server.Shutdown(shut); err != nil {
		err = server.Close()
	}
	<-ended
	s.commands.Wait()
	return err
}

// server answers requests.
type server struct {
	n        *node.Node
	o        Options
	commands sync.WaitGroup // that are being carried out
}

// Handler returns what answers requests, for callers with a listener of their own. It checks nobody.
func Handler(n *node.Node, o Options) http.Handler { return (&server{n: n, o: o}).handler() }

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /v1/status":               s.status,
		"GET /v1/peers":                s.peers,
		"GET /v1/seeds":                s.seeds,
		"PUT /v1/seeds/{key}":          s.seed,
		"DELETE /v1/seeds/{key}":       s.unseed,
		"POST /v1/hints/{key}":         s.hints,
		"POST /v1/drives/{name}":       s.share,
		"GET /v1/drives/{key}/entries": s.entries,
		"GET /v1/drives/{key}/tree":    s.readTree,
		"PUT /v1/drives/{key}/tree":    s.writeTree,
		"POST /v1/drives/{key}/fetch":  s.fetch,
		"DELETE /v1/drives/{key}":      s.purge,
		"GET /v1/drives/{key}":         s.version,
		"POST /v1/names/{name}":        s.named,
		"POST /v1/stop":                s.stop,
		"POST /v1/command":             s.command,

		"GET /v1/drives/{key}/files/{path...}":    s.readFile,
		"PUT /v1/drives/{key}/files/{path...}":    s.writeFile,
		"DELETE /v1/drives/{key}/files/{path...}": s.removeFile,

		"GET /healthz": s.healthy,
		"GET /readyz":  s.healthy,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				fail(w, err)
			}
		})
	}
	mux.Handle("GET /metrics", s.metrics())
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
