package api

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard lets through what comes by TCP: requests for a host that this is, of no foreign page, with a token.
type guard struct {
	tokens *tokens
	hosts  []string // names by which others reach it
	log    *slog.Logger
}

// scopeKey is what the token of a request allows, in its context.
type scopeKey struct{}

// Errors of the guard do not say what would have been right.
func refused(status int, text string) error { return &Error{status, text, CodeRefused} }

// wrap checks each request before next gets it.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scope, err := g.admit(r)
		if err != nil {
			w.Header().Set("Connection", "close") // its body is not waited for
			if e := judge(err); e.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="hypernode"`)
			}
			fail(w, err)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), scopeKey{}, scope)))
	})
}

// allowed tells whether a request that was let through may do what takes a scope.
func (g *guard) allowed(r *http.Request, least Scope) error {
	if have, _ := r.Context().Value(scopeKey{}).(Scope); have < least {
		return refused(http.StatusForbidden, "this takes a token of the scope "+least.String())
	}
	return nil
}

// admit returns what a request may do.
func (g *guard) admit(r *http.Request) (Scope, error) {
	if !g.ours(r) {
		return NoScope, refused(http.StatusForbidden, "this is not the host that was asked for; its other names belong into api.hosts")
	}
	if foreign(r) {
		return NoScope, refused(http.StatusForbidden, "pages of other sites are refused")
	}
	token, ok := bearer(r)
	if !ok {
		return NoScope, refused(http.StatusUnauthorized, "this takes a token: Authorization: Bearer TOKEN")
	}
	scope, err := g.tokens.scope(token)
	if err != nil {
		g.log.Warn("tokens cannot be read", "error", err)
	}
	if scope == NoScope {
		return NoScope, refused(http.StatusUnauthorized, "the token is not known")
	}
	return scope, nil
}

// ours tells whether the host that a request names is this one: the address at which it came in, localhost, or a name that was
// configured. A name that somebody else made to lead here is none of them.
func (g *guard) ours(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "."))
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if local != nil {
		at := local.AddrPort().Addr().Unmap().WithZone("")
		if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().WithZone("") == at || host == "localhost" && at.IsLoopback() {
			return true
		}
	}
	return slices.ContainsFunc(g.hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

// foreign tells whether a browser sent a request for a page that is not from here.
func foreign(r *http.Request) bool {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return true
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.EqualFold(u.Host, r.Host) {
			return true
		}
	}
	return false
}

// bearer returns the token of a request. Two of them are none.
func bearer(r *http.Request) (string, bool) {
	list := r.Header.Values("Authorization")
	if len(list) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(list[0], " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}
