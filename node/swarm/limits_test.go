package swarm

import (
	"net/netip"
	"testing"
)

// TestArrivals has connections come from one address at once: as many as it may have twice over, then no more; others and
// this machine are not held up.
func TestArrivals(t *testing.T) {
	const perAddress = 5
	l := arrivals(perAddress)
	allowed := func(text string) (n int) {
		for range 100 * perAddress {
			if l.Allow(netip.MustParseAddr(text)) {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		address string
		least   int
	}{{"192.0.2.1", 2 * perAddress}, {"192.0.2.2", 2 * perAddress}, {"2001:db8::1", 2 * perAddress}} {
		if n := allowed(c.address); n < c.least || n > c.least+perAddress {
			t.Errorf("%d connections from %s, not %d", n, c.address, c.least)
		}
	}
	if n := allowed("127.0.0.1"); n != 100*perAddress {
		t.Errorf("%d connections from this machine", n)
	}
}
