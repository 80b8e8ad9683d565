package bee

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/hypernode/hypernode/core"
)

// HistoryOptions say which blocks. The zero value is all of the version that is shown, in the order they were written.
type HistoryOptions struct {
	// GT, GTE, LT and LTE bound the block numbers. 0 is no bound, and a negative number counts from the end of the version:
	// GTE -2 is the last two. GT counts before GTE, LTE before LT.
	GT, GTE, LT, LTE int64
	// Reverse gives the latest first.
	Reverse bool
	// Limit ends after so many; 0 means no limit.
	Limit int
	// Live goes on with what is written later, until ctx ends: then its error comes last. It goes with neither LT, LTE nor
	// Reverse.
	Live bool
}

// Event is one block of the history of a bee: a put, or a delete, which has no value.
type Event struct {
	Entry
	Deleted bool
}

// span returns the blocks from start up to, not including, end.
func (o *HistoryOptions) span(version uint64) (start, end uint64) {
	lo, hi := int64(1), int64(min(version, math.MaxInt64))
	from := func(n, end int64) int64 {
		if n < 0 {
			return n + end
		}
		return n
	}
	length := hi
	if o.GT != 0 {
		lo = from(o.GT, length) + 1
	} else if o.GTE != 0 {
		lo = from(o.GTE, length)
	}
	if o.LTE != 0 {
		hi = from(o.LTE, length) + 1
	} else if o.LT != 0 {
		hi = from(o.LT, length)
	}
	start, end = uint64(max(lo, 1)), uint64(max(min(hi, length), 1))
	return start, max(start, end)
}

// History yields what was put and deleted, block by block. A sub has the events of its keys. After an error it ends.
func (b *Bee) History(ctx context.Context, o HistoryOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if o.Live && (o.Reverse || o.LT != 0 || o.LTE != 0 || b.pin != nil) || o.Limit < 0 {
			yield(Event{}, fmt.Errorf("%w: of a history", ErrOptions))
			return
		}
		h := &history{b: b, limit: o.Limit, yield: yield}
		start, end, ok := h.first(ctx, &o)
		if !ok {
			return
		}
		if !o.Live {
			return
		}
		h.live(ctx, max(start, end))
	}
}

// history is a walk along the blocks of a bee.
type history struct {
	b     *Bee
	limit int // 0 is none
	n     int // events yielded
	fork  uint64
	yield func(Event, error) bool
}

// first yields what is there when it begins. It tells whether to go on.
func (h *history) first(ctx context.Context, o *HistoryOptions) (start, end uint64, ok bool) {
	v, err := h.b.view(ctx)
	if err != nil {
		return 0, 0, h.fail(err)
	}
	defer v.end()
	h.fork = v.fork
	start, end = o.span(v.version)
	if o.Reverse {
		return start, end, h.back(ctx, v, start, end)
	}
	return start, end, h.forth(ctx, v, start, end)
}

func (h *history) fail(err error) bool {
	h.yield(Event{}, err)
	return false
}

// historyGroup is how many missing blocks a history fetches at a time.
const historyGroup = 256

// forth yields blocks in ascending order. It tells whether all were taken.
func (h *history) forth(ctx context.Context, v *view, start, end uint64) bool {
	for seq := start; seq < end; seq++ {
		if (seq-start)%historyGroup == 0 {
			v.fetchRange(ctx, seq, min(end, seq+historyGroup))
		}
		if !h.event(ctx, v, seq) {
			return false
		}
	}
	return true
}

// back yields blocks in descending order.
func (h *history) back(ctx context.Context, v *view, start, end uint64) bool {
	for seq := end; seq > start; seq-- {
		if (end-seq)%historyGroup == 0 {
			v.fetchRange(ctx, max(start, seq-min(seq, historyGroup)), seq)
		}
		if !h.event(ctx, v, seq-1) {
			return false
		}
	}
	return true
}

// fetchRange fetches blocks that are missing. What fails here fails again when a block is read.
func (v *view) fetchRange(ctx context.Context, start, end uint64) {
	if v.s.core.Contiguous() < end {
		_ = v.s.core.Download(ctx, core.Want{Ranges: []core.Range{{Start: start, End: end}}, Linear: true, Priority: 1})
	}
}

func (h *history) event(ctx context.Context, v *view, seq uint64) bool {
	x, err := v.block(ctx, seq)
	if err != nil {
		return h.fail(err)
	}
	if !bytes.HasPrefix(x.key, h.b.prefix) {
		return true
	}
	if h.n++; !h.yield(Event{Entry: h.b.part(x.entry()), Deleted: x.deleted()}, nil) {
		return false
	}
	return h.limit == 0 || h.n < h.limit
}

// live goes on with the blocks from next on, as they come.
func (h *history) live(ctx context.Context, next uint64) {
	for head := h.b.s.core.Head(); ; {
		if head.Fork != h.fork {
			h.fail(fmt.Errorf("%w: the history that was being read", core.ErrTruncated))
			return
		}
		if head.Length > next {
			v := &view{s: h.b.s, fork: head.Fork, version: head.Length}
			ok := h.forth(ctx, v, next, head.Length)
			if v.end(); !ok {
				return
			}
			next = head.Length
		}
		var err error
		if head, err = h.b.s.core.Wait(ctx, head); err != nil {
			h.fail(err)
			return
		}
	}
}
