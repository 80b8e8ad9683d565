package node

import (
	"context"
	"time"

	"github.com/hypernode/hypernode/core"
)

const (
	quotaEvery = 10 * time.Second       // what could not be fetched is tried again so often
	storeEvery = 500 * time.Millisecond // whether the store is full is looked at so often while something is fetched
	fitTime    = 5 * time.Second        // peers have so long to tell which blocks fit into a quota
)

// fit is how many of the first blocks of a core may be kept.
type fit struct {
	head   core.Head
	quota  int64
	before uint64 // bytes of the quota that are used otherwise
	known  bool

	end     uint64
	limited string
}

// pursueSome fetches what fits into the seed's quota and into the store of what there is now.
func (n *Node) pursueSome(ctx context.Context, s *seed, k *kept, o SeedOptions, part int) (again time.Duration, err error) {
	before := uint64(0)
	if part == contents {
		before = s.parts[entries].core.Head().ByteLength
	}
	if k.seen.Length == 0 {
		n.seek(k)
		return 0, nil
	}
	if !n.measure(ctx, k, o.MaxBytes, before) {
		n.seek(k)
		return quotaEvery, ctx.Err()
	}
	w := core.Want{Priority: o.Priority}
	limited := k.fit.limited
	if k.core.Contiguous() < k.fit.end {
		if n.full() {
			limited, again = LimitedByStore, quotaEvery
		} else {
			w.Ranges = []core.Range{{End: k.fit.end}}
			if n.config.Limits.Store > 0 {
				again = storeEvery
			}
		}
	}
	if here, err := k.core.Has(ctx, 0, 1); part == entries && !here {
		if err != nil {
			return 0, err
		}
		w.Blocks = []uint64{0} // tells whether it is a drive
	}
	k.limited.Store(limited)
	if len(w.Blocks)+len(w.Ranges) == 0 {
		k.rest()
		k.found()
		n.calm(k.d())
		return again, nil
	}
	n.seek(k)
	return again, n.ask(ctx, s, k, w)
}

// measure finds out how many blocks fit, unless that is known. It tells false when nobody could say.
func (n *Node) measure(ctx context.Context, k *kept, quota int64, before uint64) bool {
	f := fit{head: k.seen, quota: quota, before: before, known: true}
	if k.fit.known && k.fit.head == f.head && k.fit.quota == quota && k.fit.before == before {
		return true
	}
	most := fitTime
	if r := n.set.Core(k.d()); r == nil || r.Stats().Peers == 0 {
		most /= 50 // what is here must do
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var err error
	if f.end, f.limited, err = fitting(ctx, k.core, quota, before); err != nil {
		return false
	}
	k.fit = f
	return true
}

// fitting returns how many of the first blocks fit into a quota, 0 for none, and what limits them.
func fitting(ctx context.Context, c *core.Core, quota int64, before uint64) (end uint64, limited string, err error) {
	h := c.Head()
	left := uint64(max(quota, 0)) - min(before, uint64(max(quota, 0)))
	if quota == 0 || h.ByteLength <= left {
		return h.Length, "", nil
	}
	if left > 0 {
		end, _, err = c.Seek(ctx, left)
	}
	return end, LimitedByQuota, err
}
