package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestZeroValueIsDefault(t *testing.T) {
	if err := (Config{}).Check(); err != nil {
		t.Fatal(err)
	}
	if got := (Config{}).Filled(); !reflect.DeepEqual(got, Default()) {
		t.Fatalf("%+v", got)
	}
	c, origin, err := Load(Sources{File: filepath.Join(t.TempDir(), "none.toml")})
	if err != nil || !reflect.DeepEqual(c, Default()) {
		t.Fatalf("%+v, %v", c, err)
	}
	for name, o := range origin {
		if o != "default" {
			t.Errorf("%s is from %s", name, o)
		}
	}
}

func TestOrderOfSources(t *testing.T) {
	file := write(t, "[network]\nport = 1\nrelay = \"off\"\n[discovery]\nprofile = \"own\"\n[limits]\nmemory = \"64MiB\"\ndials = 3\n")
	c, origin, err := Load(Sources{
		File:    file,
		Environ: []string{"HYPERNODE_NETWORK_PORT=2", "HYPERNODE_DISCOVERY_PROFILE=lan", "HOME=/", "HYPERNODE_PATH=/x", "HYPERNODE_NETWORK_LISTEN=/ip4/127.0.0.1/tcp/1, tcp://:2"},
		Flags:   map[string]string{"network.port": "3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Network.Port != 3 || c.Discovery.Profile != LAN || c.Network.Relay != Off || c.Limits.Memory != 64<<20 || c.Limits.Dials != 3 {
		t.Fatalf("%+v", c)
	}
	if !slices.Equal(c.Network.Listen, []string{"/ip4/127.0.0.1/tcp/1", "tcp://:2"}) {
		t.Fatalf("%q", c.Network.Listen)
	}
	for name, want := range map[string]string{
		"network.port": "flag", "network.relay": file, "discovery.profile": "HYPERNODE_DISCOVERY_PROFILE", "store.engine": "default",
	} {
		if origin[name] != want {
			t.Errorf("%s is from %q, want %q", name, origin[name], want)
		}
	}
}

func TestUnknownKeysNameTheNearest(t *testing.T) {
	for _, test := range []struct {
		s       Sources
		nearest string
	}{
		{Sources{File: write(t, "[network]\nprot = 1\n")}, "network.port"},
		{Sources{File: write(t, "[discovry]\nprofile = \"own\"\n")}, "discovery"},
		{Sources{File: write(t, "port = 1\n")}, ""},
		{Sources{Environ: []string{"HYPERNODE_DISCOVERY_PROFIL=own"}}, "HYPERNODE_DISCOVERY_PROFILE"},
		{Sources{Environ: []string{"HYPERNODE_DISCOVRY_PROFILE=lan"}}, "HYPERNODE_DISCOVERY_PROFILE"},
		{Sources{Environ: []string{"HYPERNODE_PROFILE=lan"}}, "HYPERNODE_DISCOVERY_PROFILE"},
		{Sources{Environ: []string{"HYPERNODE_NETWORK_PORT_NUMBER=1"}}, "HYPERNODE_NETWORK_PORT"},
		{Sources{Flags: map[string]string{"limit.dials": "1"}}, "limits.dials"},
	} {
		_, _, err := Load(test.s)
		var unknown *KeyError
		if !errors.As(err, &unknown) || !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: %v", test.s, err)
			continue
		}
		if test.nearest != "" && unknown.Nearest != test.nearest {
			t.Errorf("nearest to %s is %s, want %s", unknown.Key, unknown.Nearest, test.nearest)
		}
		if !strings.Contains(err.Error(), unknown.Nearest) {
			t.Errorf("%q does not name the nearest", err)
		}
	}
}

// Variables that have nothing to do with keys are let be, those of tests too.
func TestOtherVariables(t *testing.T) {
	var environ []string
	for _, name := range []string{
		"HOME", "HYPERNODE", "HYPERNODE_", "HYPERNODE_PATH", "HYPERNODE_ENCRYPTION_KEY", "HYPERNODE_NETLAB", "HYPERNODE_CHURN",
		"HYPERNODE_KILLS", "HYPERNODE_VECTORS", "HYPERNODE_LONG", "HYPERNODE_CRASH_POINTS", "HYPERNODE_ENGINE_POINTS",
		"HYPERNODE_ROT_FLIPS", "HYPERNODE_SEQUENCES", "HYPERNODE_SIM_SEEDS", "HYPERNODE_INTEROP_RUNS", "HYPERNODE_BENCH_JS",
		"HYPERNODE_BENCH_ROUNDS", "HYPERNODE_BEE_KEYS", "HYPERNODE_LARGE",
	} {
		environ = append(environ, name+"=1")
	}
	if c, _, err := Load(Sources{Environ: environ}); err != nil || !reflect.DeepEqual(c, Default()) {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestLevels(t *testing.T) {
	l, err := Log{Level: " warn , discovery=debug,libp2p=info"}.Levels()
	if err != nil || l.Of("discovery") != slog.LevelDebug || l.Of("libp2p") != slog.LevelInfo || l.Of("store") != slog.LevelWarn {
		t.Fatalf("%+v, %v", l, err)
	}
	if l, err := (Log{}).Levels(); err != nil || l.Of("node") != slog.LevelInfo || l.Of("libp2p") <= slog.LevelError {
		t.Fatalf("%+v, %v", l, err)
	}
	if _, err := (Log{Level: "info,discvery=debug"}).Levels(); err == nil || !strings.Contains(err.Error(), "discovery") {
		t.Fatal(err)
	}
	for _, part := range LogParts() {
		if !strings.Contains(Sample(), part) {
			t.Errorf("nobody is told of the part %s", part)
		}
	}
}

func TestValuesThatCannotBe(t *testing.T) {
	for key, text := range map[string]string{
		"store.engine": "sqlite", "store.durability": "some", "network.transports": "tcp,udp", "network.listen": "localhost:80",
		"network.port": "65536", "network.announce": "1.2.3.4", "network.relay": "maybe", "network.relays": "/ip4/1.2.3.4/tcp/1",
		"network.hole_punching": "yes", "network.autonat": "1", "network.port_mapping": "true", "discovery.profile": "private",
		"discovery.bootstrap": "nobody", "discovery.public_bootstrap": "/ip4/1.2.3.4/tcp/1", "discovery.announce": "y",
		"discovery.mdns": "x", "discovery.local_ports": "x", "peers.static": "tcp://nowhere", "peers.allow": "10.0.0.0/99",
		"peers.deny": "1.2.3", "replication.announce_to_all": "x", "replication.upload": "x", "limits.connections_low": "257",
		"limits.connections_high": "-1", "limits.memory": "many", "limits.peer_streams": "-1", "limits.peers_per_address": "-1",
		"limits.dials": "x", "log.level": "loud", "log.format": "xml", "api.listen": ":4978", "api.hosts": "http://example.org",
	} {
		_, _, err := Load(Sources{Flags: map[string]string{key: text}})
		var wrong *ValueError
		if !errors.As(err, &wrong) || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s = %s: %v", key, text, err)
			continue
		}
		if key != "limits.connections_high" && wrong.Key != key {
			t.Errorf("%s = %s: the error is of %s", key, text, wrong.Key)
		}
	}
}

func TestBrokenFile(t *testing.T) {
	for _, text := range []string{"[network\n", "[network]\nport = \"x\"\n", "[network]\nport = 1\nport = 2\n", "network = 1\n"} {
		if _, _, err := Load(Sources{File: write(t, text)}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, _, err := Load(Sources{File: filepath.Join(t.TempDir(), "none"), MustExist: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestWrittenIsRead writes configurations down and reads them back, the sample too.
func TestWrittenIsRead(t *testing.T) {
	c := Default()
	c.Network.Listen, c.Peers.Static, c.Limits.Memory = []string{"/ip4/127.0.0.1/tcp/1"}, []string{"tcp://localhost:1"}, 3<<20
	c.Network.Announce, c.Network.Relays, c.Discovery.Bootstrap, c.Discovery.PublicBootstrap = []string{}, []string{}, []string{}, []string{}
	c.Peers.Allow, c.Peers.Deny = []string{}, []string{}
	c.API.Listen, c.API.Hosts = []string{}, []string{}
	var b strings.Builder
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	got, _, err := Load(Sources{File: write(t, b.String())})
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Fatalf("%+v, %v\n%s", got, err, b.String())
	}
	sample := Sample()
	got, origin, err := Load(Sources{File: write(t, sample)})
	if err != nil || !reflect.DeepEqual(got, Default()) || origin["network.port"] != "default" {
		t.Fatalf("%+v, %v\n%s", got, err, sample)
	}
	for _, s := range Settings(Default(), origin) {
		if s.Doc == "" || s.Origin != "default" || !strings.HasPrefix(s.Variable, "HYPERNODE_") || !strings.Contains(sample, s.Doc) {
			t.Errorf("%+v", s)
		}
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "17": 17, "1KiB": 1024, "1.5 MiB": 3 << 19, "2GB": 2e9, "1TiB": 1 << 40, "7B": 7, "10kB": 10000,
	} {
		got, err := ParseBytes(text)
		if err != nil || got != want {
			t.Errorf("%q is %d, %v", text, got, err)
		}
		if again, err := ParseBytes(got.String()); err != nil || again != got {
			t.Errorf("%q comes back as %d, %v", got, again, err)
		}
	}
	for _, text := range []string{"", "-1", "x", "1XB", "1e30", "NaN", "Inf", "9223372036854775808"} {
		if n, err := ParseBytes(text); err == nil {
			t.Errorf("%q is %d", text, n)
		}
	}
}

func TestPaths(t *testing.T) {
	for _, test := range []struct{ path, store, want string }{
		{"", "", ""}, {"/data", "", "/data/store"}, {"/data", "blocks", "/data/blocks"}, {"/data", "/else", "/else"}, {"", "/else", "/else"},
	} {
		if got := (Config{Path: test.path, Store: Store{Path: test.store}}).StorePath(); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(Sample()))
	f.Add([]byte("[network]\nport = 1\n"))
	f.Add([]byte("[limits]\nmemory = \"1GiB\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := loader{origin: Origin{}}
		if err := l.decode("file", data); err != nil && !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
	})
}

func stringOf(f field) string { return fmt.Sprint(f.value.Interface()) }
