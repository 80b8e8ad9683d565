package bee

import "sync"

// DefaultCache is how many bytes of decoded blocks a bee keeps in memory unless the options say otherwise.
const DefaultCache = 64 << 20

// cache keeps decoded blocks of one fork. There are two generations: what is used moves to the young one, and when that
// is half of the limit it becomes the old one and the old one goes. So a scan does not push out what is used all the time.
type cache struct {
	limit int

	mu     sync.RWMutex // guards the fields below
	fork   uint64
	weight int // of the young
	young  map[uint64]*block
	old    map[uint64]*block
}

func newCache(limit int) *cache {
	return &cache{limit: limit, young: make(map[uint64]*block)}
}

// get returns a block of a fork, or nil.
func (c *cache) get(fork, seq uint64) *block {
	c.mu.RLock()
	if fork != c.fork {
		c.mu.RUnlock()
		return nil
	}
	b, aged := c.young[seq], false
	if b == nil {
		b = c.old[seq]
		aged = b != nil
	}
	c.mu.RUnlock()
	if aged {
		c.add(fork, b)
	}
	return b
}

// add keeps blocks of a fork. Those of an older fork than the cache has are left out; a newer one takes its place.
func (c *cache) add(fork uint64, blocks ...*block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fork < c.fork {
		return
	}
	if fork > c.fork {
		c.fork, c.weight, c.old = fork, 0, nil
		clear(c.young)
	}
	for _, b := range blocks {
		if _, here := c.young[b.seq]; here {
			continue
		}
		c.young[b.seq] = b
		c.growLocked(b.weight())
	}
}

// grew tells that a block of the cache got heavier.
func (c *cache) grew(weight int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.growLocked(weight)
}

func (c *cache) growLocked(weight int) {
	if c.weight += weight; c.weight > c.limit/2 {
		c.old, c.young, c.weight = c.young, make(map[uint64]*block), 0
	}
}
