package bee

import "sync"

// DefaultCache is how many bytes of decoded blocks a bee keeps in memory unless the options say otherwise.
const DefaultCache = 64 << 20

const (
	// cacheGenerations is how many parts the cache has: the oldest goes at once, so the cache is kept that much short of full.
	cacheGenerations = 4
	// missedGroups is for how many groups of blocks misses are counted.
	missedGroups = 1024
)

// cache keeps decoded blocks of one fork, in generations: what is used moves to the youngest, and when that has its share of
// the limit a new one begins and the oldest goes. So a scan does not push out what is used all the time.
type cache struct {
	limit int

	mu          sync.RWMutex // guards the fields below
	fork        uint64
	weight      int // of the youngest generation
	generations [cacheGenerations]map[uint64]*block

	misses sync.Mutex // guards missed
	missed []missedGroup
}

// missedGroup counts how often a block of a group was not in the cache.
type missedGroup struct{ group, count uint64 }

func newCache(limit int) *cache {
	c := &cache{limit: limit}
	c.generations[0] = make(map[uint64]*block)
	return c
}

// get returns a block of a fork, or nil.
func (c *cache) get(fork, seq uint64) *block {
	c.mu.RLock()
	if fork != c.fork {
		c.mu.RUnlock()
		return nil
	}
	var b *block
	age := 0
	for i, g := range &c.generations {
		if b = g[seq]; b != nil {
			age = i
			break
		}
	}
	c.mu.RUnlock()
	if age > 0 {
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
		c.fork, c.weight = fork, 0
		c.generations = [cacheGenerations]map[uint64]*block{make(map[uint64]*block)}
	}
	for _, b := range blocks {
		if _, here := c.generations[0][b.seq]; here {
			continue
		}
		c.generations[0][b.seq] = b
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
	if c.weight += weight; c.weight > c.limit/cacheGenerations {
		copy(c.generations[1:], c.generations[:])
		c.generations[0], c.weight = make(map[uint64]*block), 0
	}
}

// miss counts that a block of a group was not in the cache, and returns how often that was so since another group took the
// place of this one.
func (c *cache) miss(group uint64) uint64 {
	c.misses.Lock()
	defer c.misses.Unlock()
	if c.missed == nil {
		c.missed = make([]missedGroup, missedGroups)
	}
	m := &c.missed[group%missedGroups]
	if m.group != group {
		*m = missedGroup{group: group}
	}
	m.count++
	return m.count
}
