package bee

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core/corestore"
)

// distantKeys is how many keys the bee has: 3,000, or what HYPERNODE_BEE_KEYS says.
func distantKeys() int {
	if n, err := strconv.Atoi(os.Getenv("HYPERNODE_BEE_KEYS")); err == nil && n > 0 {
		return n
	}
	return 3_000
}

// TestDistant reads a bee over a replication stream with a round trip of 50 ms, which is all that takes time: the clock of the
// bubble counts round trips. A key that was not seen before takes one, or two where the tree goes other ways than before; a scan
// has 10,000 entries in a second.
func TestDistant(t *testing.T) {
	for _, step := range []int{1, 7919} {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { readDistant(t, distantKeys(), step) })
		})
	}
}

func readDistant(t *testing.T, n, step int) {
	const trip = 50 * time.Millisecond
	from, to := newEnd(t, memoryDB(t), 1), newEnd(t, memoryDB(t), 2)
	leave := joinEnds(from, to, trip)
	defer leave()
	c, err := from.store.Open(t.Context(), corestore.Name("bench"))
	if err != nil {
		t.Fatal(err)
	}
	w := openBee(t, c, Options{})
	for i := 0; i < n; i += 1000 {
		err := w.Update(t.Context(), func(tx *Batch) error {
			for k := i; k < min(n, i+1000); k++ {
				if err := tx.Put(fmt.Appendf(nil, "key-%010d", k*step%n), make([]byte, 100)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := to.store.Open(t.Context(), corestore.Key(c.Key()))
	if err != nil {
		t.Fatal(err)
	}
	b := openBee(t, r, Options{})
	for h := r.Head(); h.Length < c.Head().Length; {
		if h, err = r.Wait(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		start := time.Now()
		wantGet(t, b, fmt.Sprintf("key-%010d", i*7993%n), make([]byte, 100))
		if took := time.Since(start); took > 2*trip {
			t.Errorf("lookup %d took %v", i, took)
		}
	}
	start, seen := time.Now(), 0
	for _, err := range b.Range(t.Context(), Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 2000 || seen == n {
			took := time.Since(start)
			t.Logf("%d entries after %v: %.0f/s", seen, took, float64(seen)/took.Seconds())
			if rate := float64(seen) / took.Seconds(); rate < 10_000 {
				t.Errorf("%d entries after %v, which is %.0f/s", seen, took, rate)
			}
		}
	}
	if seen != n {
		t.Fatalf("%d entries", seen)
	}
}
