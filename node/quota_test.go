package node_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/node"
)

// blocks makes a core of 100 blocks of 1,000 bytes.
func blocks(t *testing.T, n *running) *core.Core { return blocksOf(t, n, "blocks") }

func blocksOf(t *testing.T, n *running, name string) *core.Core {
	t.Helper()
	c, err := n.Open(t.Context(), corestore.Name(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for i := range byte(100) {
		if _, err := c.Append(t.Context(), bytes.Repeat([]byte{i}, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// seedOf is the present state of a seed.
func seedOf(t *testing.T, n *running, k keys.Key) node.Seed {
	t.Helper()
	for _, s := range n.Seeds() {
		if s.Key == k {
			return s
		}
	}
	t.Fatal("not seeded")
	return node.Seed{}
}

func TestQuota(t *testing.T) {
	a := start(t, local())
	b := start(t, local(a))
	from := blocks(t, a)
	if err := b.Seed(t.Context(), from.Key(), node.SeedOptions{MaxBytes: 25_500}); err != nil {
		t.Fatal(err)
	}
	until(t, "the seed to reach its quota", func() bool {
		s := seedOf(t, b, from.Key())
		return s.Limited == node.LimitedByQuota && s.Contiguous > 0
	})
	if s := seedOf(t, b, from.Key()); s.Contiguous < 25 || s.Contiguous > 26 || s.Length != 100 {
		t.Fatalf("%+v", s)
	}
	if err := b.Seed(t.Context(), from.Key(), node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "the rest", func() bool {
		s := seedOf(t, b, from.Key())
		return s.Contiguous == 100 && s.Limited == ""
	})
}

func TestQuotaOfDrive(t *testing.T) {
	a := start(t, local())
	b := start(t, local(a))
	d, err := drive.Create(t.Context(), a.Store(), drive.Name("files"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, name := range []string{"/a", "/b", "/c"} {
		if err := d.WriteFile(t.Context(), name, bytes.Repeat([]byte(name), 50_000), drive.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Seed(t.Context(), d.Key(), node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Seed(t.Context(), d.Key(), node.SeedOptions{MaxBytes: 150_000}); err != nil {
		t.Fatal(err)
	}
	until(t, "the seed to reach its quota", func() bool {
		s := seedOf(t, b, d.Key())
		return s.Limited == node.LimitedByQuota && s.Content != nil && s.Content.Contiguous > 0
	})
	s := seedOf(t, b, d.Key())
	if s.Contiguous != s.Length || s.Content.Contiguous >= s.Content.Length {
		t.Fatalf("%+v, contents %+v", s, s.Content)
	}
}

func TestStoreLimit(t *testing.T) {
	a := start(t, local())
	c := local(a)
	c.Path, c.Limits.Store = t.TempDir(), 1
	b := start(t, c)
	from := blocks(t, a)
	if !b.Full() || a.Full() {
		t.Fatal("which store is full?")
	}
	if err := b.Seed(t.Context(), from.Key(), node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "the seed to be refused", func() bool { return seedOf(t, b, from.Key()).Limited == node.LimitedByStore })
	if s := seedOf(t, b, from.Key()); s.Contiguous > 1 { // the first tells whether it is a drive
		t.Fatalf("%+v", s)
	}
}

func TestRate(t *testing.T) {
	for name, set := range map[string]func(up, down *config.Config){
		"upload":   func(up, _ *config.Config) { up.Limits.UploadRate = 100_000 },
		"download": func(_, down *config.Config) { down.Limits.DownloadRate = 100_000 },
	} {
		t.Run(name, func(t *testing.T) {
			up, down := local(), local()
			set(&up, &down)
			a := start(t, up)
			down.Discovery.Bootstrap = []string{a.Addresses()[0]}
			b := start(t, down)
			began := time.Now()
			for _, name := range []string{"first", "second"} {
				from := blocksOf(t, a, name)
				if err := b.Seed(t.Context(), from.Key(), node.SeedOptions{}); err != nil {
					t.Fatal(err)
				}
				until(t, "all of "+name, func() bool { return seedOf(t, b, from.Key()).Contiguous == 100 })
			}
			// 100,000 bytes each at 100,000 a second. What is under way when the rate is passed still comes: at worst all of the
			// first, which the second has to wait for then.
			if took := time.Since(began); took < 400*time.Millisecond {
				t.Fatalf("it took %s", took)
			}
		})
	}
}
