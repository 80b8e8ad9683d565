package replicate

import (
	"sync/atomic"
	"time"
)

// haste is the urgent requests of a stream that are not answered, for all its cores. While there are some, and for hasteTime after,
// bulk is asked for, and applied, in smaller amounts: what is urgent waits for what is under way.
type haste struct {
	count atomic.Int64
	last  atomic.Int64 // when one was made, in nanoseconds since 1970
}

const hasteTime = 100 * time.Millisecond

func (h *haste) begin(now time.Time) {
	h.count.Add(1)
	h.last.Store(now.UnixNano())
}

func (h *haste) end() { h.count.Add(-1) }

func (h *haste) is(now time.Time) bool {
	return h.count.Load() > 0 || now.UnixNano()-h.last.Load() < int64(hasteTime)
}
