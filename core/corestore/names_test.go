package corestore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/datastore"
)

func TestNamespaces(t *testing.T) {
	s := newStore(t)
	paths := [][]string{{}, {""}, {"", ""}, {"a"}, {"a", "b"}, {"ab"}, {"b", "a"}, {"a", ""}, {"", "a"}, {"\x00\xff/"}}
	seen := map[keys.Key]int{}
	for i, path := range paths {
		ns := namespace(t, s, path...)
		if again := namespace(t, s, path...); again.NamespaceID() != ns.NamespaceID() {
			t.Errorf("%q is not one namespace", path)
		}
		c := open(t, ns, corestore.Name("log"))
		if before, ok := seen[c.Key()]; ok {
			t.Errorf("%q and %q share a core", path, paths[before])
		}
		seen[c.Key()] = i
		appendTo(t, c, fmt.Sprint(i))
		if got := names(t, ns); !slices.Equal(got, []string{"log"}) {
			t.Errorf("%q has the names %q", path, got)
		}
	}
	deep := namespace(t, s, "a", "b")
	root, err := deep.Session()
	if err != nil {
		t.Fatal(err)
	}
	if root.NamespaceID() != (keys.StoreNamespace{}) {
		t.Error("the session of a namespace is not in the root namespace")
	}
	wantContents(t, open(t, root, corestore.Name("log")), "0")
	if got := root.Pair("log"); got.Public != s.Pair("log").Public || got.Public == deep.Pair("log").Public {
		t.Error("the pairs do not follow the namespace")
	}
}

func TestNames(t *testing.T) {
	s := newStore(t)
	want := []string{"\x00", "\x00\x00", " ", "/", "A", "a", "a/b", "aa", "é", "\xff", "\xff\xff", strings.Repeat("x", corestore.MaxName)}
	for _, name := range []string{"", strings.Repeat("x", corestore.MaxName+1)} {
		if _, err := s.Open(t.Context(), corestore.Name(name)); !errors.Is(err, corestore.ErrName) {
			t.Errorf("a name of %d bytes: %v", len(name), err)
		}
	}
	both := corestore.Name("a")
	both.Key = keys.Key{1}
	for what, ref := range map[string]corestore.Ref{"a name and a key": both, "nothing": {}} {
		if _, err := s.Open(t.Context(), ref); !errors.Is(err, core.ErrOptions) {
			t.Errorf("%s: %v", what, err)
		}
	}
	near := s.NamespaceID()
	for i := range want {
		open(t, s, corestore.Name(want[len(want)-1-i]))
	}
	slices.Sort(want)
	if got := names(t, s); !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	if near != (keys.StoreNamespace{}) {
		t.Error("the first session is not in the root namespace")
	}
	for range s.Names(t.Context()) {
		break // an iteration may end early
	}
}

func TestList(t *testing.T) {
	s := newStore(t)
	for i := range 20 {
		open(t, namespace(t, s, fmt.Sprint(i%3)), corestore.Name(fmt.Sprint(i)))
	}
	open(t, s, corestore.Key(keys.Key{7}))
	got := listed(t, s)
	if len(got) != 21 || !slices.IsSortedFunc(got, func(a, b keys.DiscoveryKey) int { return slices.Compare(a[:], b[:]) }) {
		t.Errorf("%d cores, in order or not: %v", len(got), got)
	}
	for _, d := range got {
		c, err := s.Find(t.Context(), d)
		if err != nil || c.DiscoveryKey() != d {
			t.Errorf("%v: %v", d, err)
		}
	}
	if _, err := s.Find(t.Context(), keys.DiscoveryKey{1}); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("an unknown core: %v", err)
	}
	if _, err := s.Lookup(t.Context(), keys.DiscoveryKey{1}); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("an unknown core: %v", err)
	}
	ref := corestore.Name("none")
	ref.MustExist = true
	if _, err := s.Open(t.Context(), ref); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("a name that must exist: %v", err)
	}
	if n := len(listed(t, s)); n != 21 {
		t.Errorf("looking made cores: %d", n)
	}
}

// TestManifestVersionChanges: a name keeps the core that it was made with.
func TestManifestVersionChanges(t *testing.T) {
	db := memory(t)
	var first [3]keys.Key
	for version := range 3 {
		s := openStore(t, db, corestore.Options{PrimaryKey: testKey, ManifestVersion: version})
		for v := range version {
			c := open(t, s, corestore.Name(fmt.Sprint(v)))
			if c.Key() != first[v] || !c.Writable() {
				t.Errorf("name %d in version %d: %v, want %v", v, version, c.Key(), first[v])
			}
			appendTo(t, c, fmt.Sprint(version))
		}
		c := open(t, s, corestore.Name(fmt.Sprint(version)))
		if first[version] = c.Key(); int(c.Manifest().Version) != max(version, 1) {
			t.Errorf("version %d made a manifest of version %d", version, c.Manifest().Version)
		}
		close1(t, s)
	}
}

func TestCompatName(t *testing.T) {
	db := memory(t)
	var k keys.Key
	for _, named := range []bool{true, false} {
		s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
		ref := corestore.Name("old")
		ref.Compat = named
		c := open(t, s, ref)
		if !c.Compat() || !c.Writable() || c.Key() != keys.Key(s.Pair("old").Public) {
			t.Errorf("not the compat core of the name: %v", c.Key())
		}
		appendTo(t, c, "block")
		k = c.Key()
		close1(t, s)
	}
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	c := open(t, s, corestore.Key(k))
	appendTo(t, c, "block")
	wantContents(t, c, "block", "block", "block")
}

// TestOwnCoresByKey: what this store made is writable again however it is named.
func TestOwnCoresByKey(t *testing.T) {
	db := onDisk(t, t.TempDir())
	make := map[string]func(s *corestore.Store) corestore.Ref{
		"name":      func(s *corestore.Store) corestore.Ref { return corestore.Name("a") },
		"namespace": func(s *corestore.Store) corestore.Ref { return corestore.Name("a") },
		"pair":      func(s *corestore.Store) corestore.Ref { return corestore.Pair(seeded(1)) },
		"manifest": func(s *corestore.Store) corestore.Ref {
			m, err := manifest.New(manifest.Config{Version: 2, Signers: []manifest.Signer{{PublicKey: seeded(2).Public}}, UserData: []byte("x")})
			if err != nil {
				t.Fatal(err)
			}
			ref := corestore.Manifest(m)
			ref.Pair = seeded(2)
			return ref
		},
	}
	for what, ref := range make {
		t.Run(what, func(t *testing.T) {
			var k keys.Key
			for round := range 3 {
				root := openStore(t, db, corestore.Options{PrimaryKey: testKey})
				s := root
				if what == "namespace" && round == 0 {
					s = namespace(t, root, "n")
				}
				var c *core.Core
				switch round {
				case 0:
					c = open(t, s, ref(s))
					k = c.Key()
				case 1:
					c = open(t, s, corestore.Key(k))
				case 2:
					c = open(t, s, corestore.Discovery(k.Discovery()))
				}
				if c.Key() != k || !c.Writable() {
					t.Fatalf("round %d: %v, writable %v", round, c.Key(), c.Writable())
				}
				appendTo(t, c, fmt.Sprint(round))
				if round == 2 {
					wantContents(t, c, "0", "1", "2")
				}
				close1(t, root)
			}
		})
	}
}

// TestReaderFirst: a core that was opened by key, as one of others, is written when it turns out to be ours.
func TestReaderFirst(t *testing.T) {
	s, there := newStore(t), newStore(t)
	for _, ref := range []corestore.Ref{corestore.Name("a"), corestore.Pair(seeded(1))} {
		reader := open(t, s, corestore.Key(open(t, there, ref).Key()))
		if reader.Writable() {
			t.Error("writable by its key alone")
		}
		appendTo(t, open(t, s, ref), "block")
		wantContents(t, reader, "block")
	}
}

// TestReaderFirstKeepsName: such a core keeps its name, and is writable by its key, when the store is opened again.
func TestReaderFirstKeepsName(t *testing.T) {
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	primary := keys.PrimaryKey{7}
	store := func() *corestore.Store {
		s, err := corestore.Open(t.Context(), db, corestore.Options{PrimaryKey: primary})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := store()
	key := manifest.Single(s.Pair("a").Public).Key()
	reader := open(t, s, corestore.Key(key))
	open(t, s, corestore.Name("a"))
	if reader.Key() != key {
		t.Fatal("the name leads to another core")
	}
	close1(t, s)
	s = store()
	defer close1(t, s)
	if !open(t, s, corestore.Key(key)).Writable() {
		t.Error("not writable by its key")
	}
	for n, err := range s.Names(t.Context()) {
		if err != nil || n.Name != "a" || n.Discovery != key.Discovery() {
			t.Errorf("names: %v, %v", n, err)
		}
		return
	}
	t.Error("the name was not kept")
}
