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
	return b, nil
}

// position is the hint that tells a peer how far the scan has come and what it is after. It is nil when the scan is over.
func (s *scan) position() *iterator {
	if s.limit == 0 {
		return nil
	}
	m := &iterator{version: s.v.version, reverse: s.reverse}
	if s.limit > 0 {
		m.limit = uint64(s.limit)
	}
	if s.r.loOpen {
		m.gt = s.r.lo
	} else {
		m.gte = s.r.lo
	}
	if s.r.hiOpen {
		m.lt = s.r.hi
	} else {
		m.lte = s.r.hi
	}
	if !s.opened {
		return m
	}
	if m.checkpoint = s.checkpoint(); len(m.checkpoint) == 0 {
		return nil
	}
	return m
}

// checkpoint tells where the cursor stands: for each node from the root on its block, its offset and the slot to look at next.
func (c *cursor) checkpoint() (list []uint64) {
	for _, f := range c.stack {
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
		n, err := c.v.node(ctx, link{checkpoint[0], checkpoint[1]})
		if err != nil {
			return err
		}
		if err := c.enter(n); err != nil {
			return err
		}
		if i := checkpoint[2]; i <= uint64(2*len(n.keys)+1) {
			c.stack[len(c.stack)-1].i = int(i)
		} else {
			return errMalformed
		}
	}
	c.opened = true
	return nil
}
