package replicate

// Some peers end the stream over a request that they cannot answer, or count such requests and then end it. The same request
// must not come first when they are back: else nothing else would ever come from them. So a block that brought a stream to
// its end, or that a peer could not prove, is asked for last, alone, and by its whole path.

const (
	// maxStrikes is from how many strikes on a block is shunned: a stream may end for other reasons too.
	maxStrikes = 2

	// maxStruck is how many blocks are remembered.
	maxStruck = 4096
)

// strike counts against a block.
func (s *scheduler) strike(i uint64, n int) {
	if s.struck[i] > 0 || len(s.struck) < maxStruck {
		s.struck[i] += n
	}
}

// blameOldest counts against the block that a peer that leaves was asked for first and has not answered.
func (s *scheduler) blameOldest(p *peer) {
	var oldest *ask
	for _, a := range p.asks {
		if a.isBlock && (oldest == nil || a.request.ID < oldest.request.ID) {
			oldest = a
		}
	}
	if oldest != nil {
		s.strike(oldest.block(), 1)
	}
}

// shunned tells whether a block is asked for last.
func (s *scheduler) shunned(i uint64) bool { return s.struck[i] >= maxStrikes }

// takeShunned takes the first shunned block that a peer has, when nothing else is asked of it.
func (s *scheduler) takeShunned(p *peer) (first uint64, ok bool) {
	if len(p.asks) > 0 {
		return 0, false
	}
	for i := range s.struck {
		if s.shunned(i) && (!ok || i < first) && i < s.head.Length && p.have.Has(i) && s.wanted(i) &&
			(s.flying[i] == 0 || s.hedged[i] > 0) && p.blocks[i] == nil {
			first, ok = i, true
		}
	}
	if ok {
		s.exact[first] = true
		delete(s.hedged, first)
	}
	return first, ok
}
