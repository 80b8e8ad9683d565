package netlab

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// wasted is how many bytes of each 100 that were verified may be fetched again.
const wasted = 2

// block is how many bytes of a file a block has.
const block = 64 << 10

// TestKilledReader kills a fetch again and again, at moments chosen by chance. What it has verified it does not fetch again,
// and in the end all is there.
func TestKilledReader(t *testing.T) {
	t.Parallel()
	mib, kills := 16, 3
	if long() {
		mib, kills = 128, 12
	}
	l, folder := newLAN(t), bulk(t, mib)
	a := l.machine().share(folder, onLAN())
	m := l.machine()
	m.slow(32)
	rng := random(t.Name())
	rest := int64(mib) << 20
	held := int64(0)
	for range kills {
		start := m.received()
		stop := start + between(rng, rest/int64(2*kills), rest/int64(kills))
		g := m.get(a.Link, onLAN())
		until(t, "a part", func() bool { return m.received() > stop || g.over() })
		g.kill()
		came, before := m.received()-start, held
		held = m.held(t, a.Key)
		t.Logf("%.1f MiB came, %.1f more are held", mibs(came), mibs(held-before))
	}
	res := m.get(a.Link, onLAN()).result()
	same(t, folder, m.copy())
	m.held(t, a.Key)
	again := held + res.Fetched - int64(mib)<<20
	t.Logf("%d kills: %.1f MiB held, then %.1f fetched; %.1f MiB came in all", kills, mibs(held), mibs(res.Fetched), mibs(m.received()))
	if again > (int64(mib)<<20)*wasted/100 {
		t.Errorf("%d bytes that were held were fetched again", again)
	}
}

// TestKilledReaderKeeps kills a reader that tells what it has verified: that is still there.
func TestKilledReaderKeeps(t *testing.T) {
	t.Parallel()
	mib, kills := 16, 3
	if long() {
		mib, kills = 64, 12
	}
	l, folder := newLAN(t), bulk(t, mib)
	a := l.machine().share(folder, onLAN())
	m := l.machine()
	m.slow(32)
	rng := random(t.Name())
	held, size := int64(0), int64(mib)<<20
	for range kills {
		stop := between(rng, size/int64(4*kills), size/int64(kills))
		p := m.role("reader", part{Path: filepath.Join(m.home, "get"), Key: a.Key, Peer: a.Addresses[0]}, false)
		var v verified
		for v.Blocks*block < uint64(stop) && held+stop < size {
			p.line(&v)
		}
		p.kill()
		p.last(&v)
		now := m.held(t, a.Key)
		t.Logf("%.1f MiB were verified, %.1f are held", mibs(held+int64(v.Blocks)*block), mibs(now))
		if lost := held + int64(v.Blocks)*block - now; lost > size*wasted/100 {
			t.Errorf("%d bytes that were verified are lost", lost)
		}
		held = now
	}
	m.get(a.Link, onLAN()).result()
	same(t, folder, m.copy())
}

// TestKilledSeeder kills the seeder at moments chosen by chance, and starts it again: the fetch that runs goes on.
func TestKilledSeeder(t *testing.T) {
	t.Parallel()
	mib, kills := 16, 2
	if long() {
		mib, kills = 128, 8
	}
	l, folder := newLAN(t), bulk(t, mib)
	origin, m := l.machine(), l.machine()
	fixed := onLAN().with("network.listen", "/ip4/"+origin.ip4+"/tcp/4977")
	a := origin.share(folder, fixed)
	m.slow(32)
	rng := random(t.Name())
	g := m.get(a.Link, onLAN())
	for i := range kills {
		part := int64(mib) << 20 / int64(kills+1)
		stop := part*int64(i) + between(rng, part/4, part)
		until(t, "a part", func() bool { return m.received() > stop || g.over() })
		if g.over() {
			break
		}
		a.kill()
		a = origin.share(folder, fixed)
	}
	res := g.result()
	same(t, folder, m.copy())
	m.held(t, a.Key)
	t.Logf("%d kills: %.1f MiB fetched, %.1f MiB came in all", kills, mibs(res.Fetched), mibs(m.received()))
	if over := res.Fetched - int64(mib)<<20; over > int64(mib)<<20*wasted/100 {
		t.Errorf("%d bytes were fetched again", over)
	}
}

// TestLocked has a second process want the store of a fetch that runs.
func TestLocked(t *testing.T) {
	t.Parallel()
	l, folder := newLAN(t), bulk(t, 4)
	a, m := l.machine().share(folder, onLAN()), l.machine()
	m.slow(1)
	g := m.get(a.Link, onLAN())
	until(t, "the store", func() bool { return m.received() > 1<<19 || g.over() })
	second := m.get(a.Link, onLAN())
	if code := second.code(); code != 11 {
		t.Fatalf("a second process on the same store ended with %d: %s", code, &second.said)
	}
	var problem struct {
		Error struct{ Message, Hint string } `json:"error"`
	}
	second.line(&problem)
	if told := problem.Error.Message + problem.Error.Hint; !strings.Contains(told, fmt.Sprint(g.cmd.Process.Pid)) {
		t.Fatalf("the holder, process %d, is not named in %q", g.cmd.Process.Pid, told)
	}
}

// held has the store of a machine's fetches checked, every block against the tree and the signature, and returns how many
// bytes of files lie in it.
func (m *machine) held(t *testing.T, names string) int64 {
	t.Helper()
	p := m.hypernode("get", "core", "verify", "--all", "--json")
	p.ok()
	var report struct {
		Cores []struct {
			Key    string
			Blocks int64
		} `json:"cores"`
	}
	p.line(&report)
	blocks := int64(0)
	for _, c := range report.Cores {
		if c.Key != names {
			blocks += c.Blocks
		}
	}
	return blocks * block
}

func mibs(n int64) float64 { return float64(n) / (1 << 20) }
