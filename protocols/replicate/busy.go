package replicate

// Busy returns the peers, named by what they have proven to be, with whom something is under way: requests of this side or of
// theirs that are not answered.
func (s *Set) Busy() (peers [][]byte) {
	for _, st := range s.list() {
		if st.asks.Load() > 0 || st.backlog.waiting() {
			peers = append(peers, st.remote)
		}
	}
	return peers
}
