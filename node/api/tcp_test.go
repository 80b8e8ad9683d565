package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/node"
)

// remote is a node that can be controlled by TCP.
type remote struct {
	config  config.Config
	address string // HOST:PORT
}

func listening(t *testing.T, listen []string, hosts []string, o Options) (*remote, error) {
	t.Helper()
	c := config.Config{Path: t.TempDir(), Discovery: config.Discovery{Profile: config.Offline}}
	c.Network.Listen, c.Network.Transports = []string{"/ip4/127.0.0.1/tcp/0"}, []string{"tcp"}
	c.API.Listen, c.API.Hosts = listen, hosts
	n, err := node.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan []string, 1), make(chan error, 1)
	o.Ready = func(control []string) { ready <- control }
	go func() { ended <- Serve(ctx, n, filepath.Join(c.Path, "node.sock"), o) }()
	select {
	case err := <-ended:
		cancel()
		return nil, err
	case control := <-ready:
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		return &remote{config: n.Config(), address: strings.TrimPrefix(control[0], "http://")}, nil
	}
}

func controlled(t *testing.T, hosts ...string) *remote {
	t.Helper()
	r, err := listening(t, []string{"127.0.0.1:0"}, hosts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// token reads the token of a scope as a user would.
func (r *remote) token(t *testing.T, s Scope) string {
	t.Helper()
	b, err := os.ReadFile(TokenPath(r.config, s))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// ask makes a request and returns its status.
func (r *remote) ask(t *testing.T, method, path string, change func(*http.Request)) int {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	change(q)
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if _, err := io.Copy(io.Discard, a.Body); err != nil {
		t.Fatal(err)
	}
	if (a.StatusCode == http.StatusUnauthorized) != (a.Header.Get("WWW-Authenticate") != "") || a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%s %s: %s with %v", method, path, a.Status, a.Header)
	}
	return a.StatusCode
}

func with(token string) func(*http.Request) {
	return func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+token) }
}

// TestScopes asks for everything with every kind of token, and as every kind of sender. The paths name nothing that is there, so that
// what is let through fails for that.
func TestScopes(t *testing.T) {
	r := controlled(t, "node.example.org")
	table := []struct {
		method, path string
		scope        Scope
	}{
		{"GET", "/v1/status", ScopeRead},
		{"GET", "/v1/peers", ScopeRead},
		{"GET", "/v1/seeds", ScopeRead},
		{"PUT", "/v1/seeds/x", ScopeSeed},
		{"DELETE", "/v1/seeds/x", ScopeSeed},
		{"POST", "/v1/hints/x", ScopeSeed},
		{"POST", "/v1/drives/x", ScopeWrite},
		{"POST", "/v1/names/x", ScopeWrite},
		{"GET", "/v1/drives/x", ScopeRead},
		{"DELETE", "/v1/drives/x", ScopeWrite},
		{"POST", "/v1/drives/x/fetch", ScopeSeed},
		{"GET", "/v1/drives/x/entries", ScopeRead},
		{"GET", "/v1/drives/x/tree", ScopeRead},
		{"PUT", "/v1/drives/x/tree", ScopeWrite},
		{"GET", "/v1/drives/x/files/y", ScopeRead},
		{"PUT", "/v1/drives/x/files/y", ScopeWrite},
		{"DELETE", "/v1/drives/x/files/y", ScopeWrite},
		{"POST", "/v1/command", ScopeAdmin},
		{"POST", "/v1/stop", ScopeAdmin},
		{"GET", "/healthz", ScopeRead},
		{"GET", "/readyz", ScopeRead},
		{"GET", "/metrics", ScopeRead},
	}
	if n := len((&server{n: nil, o: Options{}}).patterns()); n != len(table) {
		t.Fatalf("%d kinds of requests are in the table, %d are answered", len(table), n)
	}
	tokens := map[string]Scope{"": NoScope, strings.Repeat("0", 64): NoScope}
	for _, s := range Scopes() {
		token := r.token(t, s)
		tokens[token], tokens[token[:63]] = s, NoScope
	}
	senders := map[string]struct {
		good   bool
		change func(*http.Request)
	}{
		"a program":           {true, func(*http.Request) {}},
		"by localhost":        {true, func(q *http.Request) { q.Host = "LocalHost." }},
		"by its name":         {true, func(q *http.Request) { q.Host = "node.example.org:443" }},
		"a page from here":    {true, func(q *http.Request) { q.Header.Set("Origin", "http://"+r.address) }},
		"another host":        {false, func(q *http.Request) { q.Host = "evil.example.org" }},
		"another address":     {false, func(q *http.Request) { q.Host = "127.0.0.2" }},
		"a page of elsewhere": {false, func(q *http.Request) { q.Header.Set("Origin", "http://evil.example.org") }},
		"another port's page": {false, func(q *http.Request) { q.Header.Set("Origin", "http://127.0.0.1:1") }},
		"a page of a file":    {false, func(q *http.Request) { q.Header.Set("Origin", "null") }},
		"another site":        {false, func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") }},
	}
	for _, row := range table {
		for token, scope := range tokens {
			for name, sender := range senders {
				got := r.ask(t, row.method, row.path, func(q *http.Request) {
					if token != "" {
						with(token)(q)
					}
					sender.change(q)
				})
				want := "let through"
				switch {
				case !sender.good || scope != NoScope && scope < row.scope:
					want = "403"
				case scope == NoScope:
					want = "401"
				}
				if is := got == http.StatusUnauthorized || got == http.StatusForbidden; is && fmt.Sprint(got) != want || !is && want != "let through" {
					t.Errorf("%s %s by %s with scope %s: status %d, want %s", row.method, row.path, name, scope, got, want)
				}
			}
		}
	}
}

// patterns lists what is answered.
func (s *server) patterns() (list []string) {
	for _, r := range s.routes() {
		list = append(list, r.pattern)
	}
	return list
}

// What is not there is not told to who has no token, and profiles are not told to anybody.
func TestNothingElse(t *testing.T) {
	r := controlled(t)
	admin := r.token(t, ScopeAdmin)
	for _, path := range []string{"/", "/v1/nothing", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile", "/v1//status"} {
		if got := r.ask(t, "GET", path, func(*http.Request) {}); got != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", path, got)
		}
		if got := r.ask(t, "GET", path, with(admin)); path != "/v1//status" && got != http.StatusNotFound {
			t.Errorf("%s with a token: %d", path, got)
		}
	}
	if got := r.ask(t, "OPTIONS", "/v1/status", func(q *http.Request) {
		q.Header.Set("Origin", "http://evil.example.org")
		q.Header.Set("Access-Control-Request-Headers", "authorization")
	}); got != http.StatusForbidden {
		t.Errorf("asked by a browser whether it may: %d", got)
	}
}

func TestHowTokensAreGiven(t *testing.T) {
	r := controlled(t)
	token := r.token(t, ScopeAdmin)
	for name, c := range map[string]struct {
		good   bool
		path   string
		change func(*http.Request)
	}{
		"header":     {true, "/healthz", with(token)},
		"lower case": {true, "/healthz", func(q *http.Request) { q.Header.Set("Authorization", "bearer  "+token) }},
		"query":      {false, "/healthz?access_token=" + token, func(*http.Request) {}},
		"cookie":     {false, "/healthz", func(q *http.Request) { q.AddCookie(&http.Cookie{Name: "token", Value: token}) }},
		"basic":      {false, "/healthz", func(q *http.Request) { q.SetBasicAuth("admin", token) }},
		"alone":      {false, "/healthz", func(q *http.Request) { q.Header.Set("Authorization", token) }},
		"empty":      {false, "/healthz", func(q *http.Request) { q.Header.Set("Authorization", "Bearer ") }},
		"two": {false, "/healthz", func(q *http.Request) {
			q.Header.Add("Authorization", "Bearer x")
			q.Header.Add("Authorization", "Bearer "+token)
		}},
	} {
		if got := r.ask(t, "GET", c.path, c.change); got == http.StatusOK != c.good {
			t.Errorf("%s: status %d", name, got)
		}
	}
}

// Tokens lie in files that only their owner reads, and what is changed there counts at once.
func TestTokenFiles(t *testing.T) {
	r := controlled(t)
	file := TokenPath(r.config, ScopeRead)
	for name, mode := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): os.ModeDir | 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode() != mode {
			t.Fatalf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	first := r.token(t, ScopeRead)
	if len(first) < minToken || first == r.token(t, ScopeSeed) {
		t.Fatalf("the token %q", first)
	}
	second, third := strings.Repeat("b", minToken), strings.Repeat("c", minToken)
	if err := os.WriteFile(file, []byte("\n"+second+"\r\n"+third), 0o600); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]int{first: 401, second: 200, third: 200, second + "\n" + third: 401} {
		if strings.Contains(token, "\n") {
			continue // no header can have it
		}
		if got := r.ask(t, "GET", "/healthz", with(token)); got != want {
			t.Errorf("%q: status %d, want %d", token, got, want)
		}
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := r.ask(t, "GET", "/healthz", with(second)); got != http.StatusUnauthorized {
		t.Errorf("a token that all may read: status %d", got)
	}
	if got := r.ask(t, "GET", "/healthz", with(r.token(t, ScopeAdmin))); got != http.StatusOK {
		t.Errorf("another token: status %d", got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got := r.ask(t, "GET", "/healthz", with(second)); got != http.StatusUnauthorized {
		t.Errorf("a token that was removed: status %d", got)
	}
}

// Nothing is served with tokens that anybody may know, or where nobody asked for it.
func TestWhatCannotListen(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	if _, err := listening(t, []string{"127.0.0.1:0", busy.Addr().String()}, nil, Options{}); err == nil {
		t.Error("an address that is busy")
	}
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want error
	}{
		"exposed": {strings.Repeat("a", minToken), 0o640, datastore.ErrSecretExposed},
		"short":   {"secret", 0o600, nil},
	} {
		dir := t.TempDir()
		file := TokenPath(config.Config{Path: dir}, ScopeSeed)
		if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(c.text), c.mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := openTokens(config.Config{Path: dir}); err == nil || c.want != nil && !errors.Is(err, c.want) || strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := openTokens(config.Config{}); err == nil {
		t.Error("a node without a folder")
	}
}

// A client by TCP does what its token allows, commands too.
func TestDialTCP(t *testing.T) {
	command := func(_ context.Context, c Command) int {
		fmt.Fprintln(c.Stdout, c.Args)
		return 3
	}
	r, err := listening(t, []string{"127.0.0.1:0"}, nil, Options{Command: command})
	if err != nil {
		t.Fatal(err)
	}
	client := func(s Scope) *Client {
		c, err := DialTCP(t.Context(), r.address, r.token(t, s))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	seed, admin := client(ScopeSeed), client(ScopeAdmin)
	if err := seed.Seed(t.Context(), keys.Key{1}, node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	if list, err := client(ScopeRead).Seeds(t.Context()); err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	var answer *Error
	if err := seed.Stop(t.Context()); !errors.As(err, &answer) || answer.Code != CodeRefused {
		t.Fatal(err)
	}
	var out bytes.Buffer
	line := Command{CommandLine: CommandLine{Args: []string{"x"}}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: io.Discard}
	if code, err := admin.Command(t.Context(), line); code != 3 || err != nil || out.String() != "[x]\n" {
		t.Fatalf("%d, %v, %q", code, err, out.String())
	}
	if _, err := seed.Command(t.Context(), line); !errors.As(err, &answer) || answer.Code != CodeRefused {
		t.Fatal(err)
	}
	if _, err := DialTCP(t.Context(), "127.0.0.1:1", ""); !errors.Is(err, ErrNotRunning) {
		t.Fatal(err)
	}
}

func TestScopeNames(t *testing.T) {
	var names []string
	for _, s := range Scopes() {
		names = append(names, s.String())
	}
	if !slices.Equal(names, []string{"read", "seed", "write", "admin"}) {
		t.Fatal(names)
	}
}
