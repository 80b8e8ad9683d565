package bee

import "context"

// scan is a cursor with a limit, which fetches ahead what it will need.
type scan struct {
	*cursor
	limit int // entries to go; 0 after the last, -1 without a limit
	ahead *ahead
}

// newScan begins a scan; limit 0 is none. The caller ends it. What is fetched ahead ends with ctx.
func newScan(ctx context.Context, v *view, r bounds, reverse bool, limit int) *scan {
	if limit == 0 {
		limit = -1
	}
	s := &scan{cursor: v.cursor(r, reverse), limit: limit}
	s.ahead = newAhead(ctx, s)
	return s
}

// end waits for what is being fetched ahead to be given up.
func (s *scan) end() { s.ahead.end() }

// next returns the next block of the scan, or nil.
func (s *scan) next(ctx context.Context) (*block, error) {
	if s.limit == 0 {
		return nil, nil
	}
	b, err := s.cursor.next(ctx)
	if b == nil || err != nil {
		s.limit = 0
		return nil, err
	}
	if s.limit > 0 {
		s.limit--
	}
	s.ahead.passed()
	return b, nil
}

// position is the hint that tells a peer how far a walk of so many entries has come and what it is after; a limit of -1 is
// none. It is nil when the walk is over.
func (c *cursor) position(limit int) *iterator {
	if limit == 0 {
		return nil
	}
	m := &iterator{version: c.v.version, reverse: c.reverse}
	if limit > 0 {
		m.limit = uint64(limit)
	}
	if c.r.loOpen {
		m.gt = c.r.lo
	} else {
		m.gte = c.r.lo
	}
	if c.r.hiOpen {
		m.lt = c.r.hi
	} else {
		m.lte = c.r.hi
	}
	if !c.opened {
		return m
	}
	if m.checkpoint = c.checkpoint(); len(m.checkpoint) == 0 {
		return nil
	}
	return m
}

// checkpoint tells where the cursor stands: for each node from the root on its block, its offset and the slot to look at next.
func (c *cursor) checkpoint() (list []uint64) {
	for i := range c.stack {
		f := &c.stack[i]
		if f.i >= 0 {
			list = append(list, f.n.seq, f.n.off, uint64(f.i))
		}
	}
	return list
}

// resume places a cursor where a checkpoint says.
func (c *cursor) resume(ctx context.Context, checkpoint []uint64) error {
	if len(checkpoint)%3 != 0 || len(checkpoint) > 3*maxHeight {
		return errMalformed
	}
	for ; len(checkpoint) > 0; checkpoint = checkpoint[3:] {
		var n node
		if err := c.v.node(ctx, link{checkpoint[0], checkpoint[1]}, &n); err != nil {
			return err
		}
		if err := c.enter(&n); err != nil {
			return err
		}
		if i := checkpoint[2]; i <= uint64(2*n.width+1) {
			c.stack[len(c.stack)-1].i = int(i)
		} else {
			return errMalformed
		}
	}
	c.opened = true
	return nil
}
