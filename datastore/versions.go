package datastore

import "sync"

// versions gives an engine without snapshots views that do not change: while there are views, each commit puts down
// what it overwrites, and keeps it until the views from before it are closed.
type versions struct {
	mu      sync.Mutex // guards the fields below
	blind   bool       // a commit runs that puts nothing down, so no view may be opened
	sighted sync.Cond  // blind has become false
	version uint64     // number of the last commit
	views   map[uint64]int
	layers  []layer // by ascending version
}

// layer holds the values that commit version overwrote; nil where there was none.
type layer struct {
	version uint64
	old     map[string][]byte
}

func (s *versions) init() {
	s.sighted.L = &s.mu
	s.views = make(map[uint64]int)
}

// open opens a view of the state after the last commit.
func (s *versions) open() (version uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.blind {
		s.sighted.Wait()
	}
	s.views[s.version]++
	return s.version
}

// close closes a view and drops what no other view needs.
func (s *versions) close(version uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.views[version]--; s.views[version] == 0 {
		delete(s.views, version)
	}
	s.dropLocked()
}

func (s *versions) dropLocked() {
	oldest := s.version
	for v := range s.views {
		oldest = min(oldest, v)
	}
	n := 0
	for n < len(s.layers) && s.layers[n].version <= oldest {
		n++
	}
	s.layers = append([]layer(nil), s.layers[n:]...)
}

// begin begins a commit. The caller applies it and then calls finish, which tells whether it was applied.
func (s *versions) begin(changes []change, get func(string) ([]byte, error)) (finish func(applied bool), err error) {
	s.mu.Lock()
	s.blind = len(s.views) == 0
	blind, version := s.blind, s.version+1
	s.mu.Unlock()
	if !blind {
		l := layer{version, make(map[string][]byte, len(changes))}
		for _, c := range changes {
			if l.old[c.key], err = get(c.key); err != nil {
				return nil, err
			}
		}
		s.mu.Lock()
		s.layers = append(s.layers, l)
		s.mu.Unlock()
	}
	return s.finish, nil
}

func (s *versions) finish(applied bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if applied {
		s.version++
	} else if n := len(s.layers); n > 0 && s.layers[n-1].version > s.version {
		s.layers = s.layers[:n-1]
	}
	s.dropLocked()
	s.blind = false
	s.sighted.Broadcast()
}

// overwritten returns the value of key in a view, when a later commit has changed it.
func (s *versions) overwritten(version uint64, key string) (old []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.layers {
		if l.version <= version {
			continue
		}
		if old, ok = l.old[key]; ok {
			return old, true
		}
	}
	return nil, false
}

// appendOverwritten appends the keys with lo <= key < hi that commits after the view have changed.
func (s *versions) appendOverwritten(keys []string, version uint64, lo, hi string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.layers {
		if l.version <= version {
			continue
		}
		for k := range l.old {
			if lo <= k && k < hi {
				keys = append(keys, k)
			}
		}
	}
	return keys
}
