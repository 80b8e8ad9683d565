package datastore

// arena holds the copies of keys and sealed values of a group.
type arena struct{ free []byte }

const (
	arenaChunk = 64 << 10
	arenaKeep  = 1 << 20
)

// alloc returns n bytes of room, empty.
func (a *arena) alloc(n int) []byte {
	if cap(a.free)-len(a.free) < n {
		a.free = make([]byte, 0, max(n, arenaChunk))
	}
	at := len(a.free)
	a.free = a.free[:at+n]
	return a.free[at : at : at+n]
}

func (a *arena) copy(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append(a.alloc(len(b)), b...)
}

func (a *arena) reset() {
	if cap(a.free) > arenaKeep {
		a.free = nil
	}
	a.free = a.free[:0]
}
