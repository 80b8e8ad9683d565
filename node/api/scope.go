package api

import (
	"fmt"
	"net/http"
)

// Scope is what a token allows. Each includes those before it.
type Scope uint8

// The scopes.
const (
	NoScope    Scope = iota
	ScopeRead        // see what the node is doing, and read drives
	ScopeSeed        // fetch, and say what is kept
	ScopeWrite       // change the node's own drives, and delete
	ScopeAdmin       // give commands, and end the node
)

// Scopes lists the scopes that a token can have.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeSeed, ScopeWrite, ScopeAdmin} }

// String is the scope's name, which is also that of the file of its tokens.
func (s Scope) String() string {
	if names := []string{"none", "read", "seed", "write", "admin"}; int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("scope %d", uint8(s))
}

// route is a kind of request: its pattern, as http.ServeMux has them, what it takes, and what answers it.
type route struct {
	pattern string
	scope   Scope
	answer  func(http.ResponseWriter, *http.Request) error
}

// routes are all that the node answers at its socket and by TCP. Profiles, which tell what lies in memory, are given at the socket
// only.
func (s *server) routes() []route {
	return []route{
		{"GET /v1/status", ScopeRead, s.status},
		{"GET /v1/peers", ScopeRead, s.peers},
		{"GET /v1/seeds", ScopeRead, s.seeds},
		{"PUT /v1/seeds/{key}", ScopeSeed, s.seed},
		{"DELETE /v1/seeds/{key}", ScopeSeed, s.unseed},
		{"POST /v1/hints/{key}", ScopeSeed, s.hints},
		{"POST /v1/drives/{name}", ScopeWrite, s.share},
		{"POST /v1/names/{name}", ScopeWrite, s.named},
		{"GET /v1/drives/{key}", ScopeRead, s.version},
		{"DELETE /v1/drives/{key}", ScopeWrite, s.purge},
		{"POST /v1/drives/{key}/fetch", ScopeSeed, s.fetch},
		{"GET /v1/drives/{key}/entries", ScopeRead, s.entries},
		{"GET /v1/drives/{key}/tree", ScopeRead, s.readTree},
		{"PUT /v1/drives/{key}/tree", ScopeWrite, s.writeTree},
		{"GET /v1/drives/{key}/files/{path...}", ScopeRead, s.readFile},
		{"PUT /v1/drives/{key}/files/{path...}", ScopeWrite, s.writeFile},
		{"DELETE /v1/drives/{key}/files/{path...}", ScopeWrite, s.removeFile},
		{"POST /v1/command", ScopeAdmin, s.command},
		{"POST /v1/stop", ScopeAdmin, s.stop},
		{"GET /healthz", ScopeRead, s.healthy},
		{"GET /readyz", ScopeRead, s.healthy},
		{"GET /metrics", ScopeRead, s.metrics()},
	}
}

// mux answers the routes; allowed, if it is not nil, tells first whether a request has the scope that one takes.
func (s *server) mux(allowed func(r *http.Request, least Scope) error) *http.ServeMux {
	mux := http.NewServeMux()
	for _, route := range s.routes() {
		mux.HandleFunc(route.pattern, func(w http.ResponseWriter, r *http.Request) {
			var err error
			if allowed != nil {
				err = allowed(r, route.scope)
			}
			if err == nil {
				err = route.answer(w, r)
			}
			if err != nil {
				fail(w, err)
			}
		})
	}
	return mux
}
