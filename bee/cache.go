package bee

import (
	"sync"
	"sync/atomic"
)

// DefaultCache is how many bytes of blocks a bee keeps in memory unless the options say otherwise.
const DefaultCache = 64 << 20

const (
	// pageBlocks is how many neighbours have one place in the cache.
	pageBlocks = 32
	// missedGroups is for how many groups of blocks misses are counted, until the counting begins anew.
	missedGroups = 1 << 14
)

// cache keeps blocks of one fork, in pages of neighbours. The pages stand in a ring. When they weigh too much a hand goes
// around and takes out those that were not used since it came by last.
type cache struct {
	limit int

	mu     sync.RWMutex // guards the fields below
	fork   uint64
	weight int
	pages  map[uint64]*page
	hand   *page // the one to be looked at next; nil when there is none

	misses sync.Mutex // guards missed
	missed map[uint64]uint8
}

// page is what is in memory of neighbours.
type page struct {
	number     uint64
	blocks     [pageBlocks]*block
	weight     int
	used       atomic.Bool
	prev, next *page
}

func newCache(limit int) *cache { return &cache{limit: limit, pages: make(map[uint64]*page)} }

// get returns a block of a fork, or nil.
func (c *cache) get(fork, seq uint64) *block {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p := c.pages[seq/pageBlocks]
	if p == nil || fork != c.fork {
		return nil
	}
	if !p.used.Load() {
		p.used.Store(true)
	}
	return p.blocks[seq%pageBlocks]
}

// add keeps blocks of a fork, at least one and all of one page. Those of an older fork than the cache has are left out; a
// newer one takes its place.
func (c *cache) add(fork uint64, list []block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fork < c.fork {
		return
	}
	if fork > c.fork {
		c.fork, c.weight, c.hand = fork, 0, nil
		c.pages = make(map[uint64]*page)
	}
	p := c.pageLocked(list[0].seq / pageBlocks)
	before := p.weight
	for i := range list {
		if slot := &p.blocks[list[i].seq%pageBlocks]; *slot == nil {
			*slot = &list[i]
			p.weight += list[i].weight()
		}
	}
	c.weight += p.weight - before
	c.shrinkLocked(p)
}

// pageLocked returns a page, which it makes if there is none: the hand comes to it last.
func (c *cache) pageLocked(number uint64) *page {
	p := c.pages[number]
	if p != nil {
		return p
	}
	p = &page{number: number, weight: 8*pageBlocks + 128}
	c.pages[number] = p
	c.weight += p.weight
	if c.hand == nil {
		p.prev, p.next, c.hand = p, p, p
		return p
	}
	p.prev, p.next = c.hand.prev, c.hand
	p.prev.next, p.next.prev = p, p
	return p
}

// shrinkLocked takes out pages until they weigh little enough, but never one.
func (c *cache) shrinkLocked(keep *page) {
	for c.weight > c.limit && len(c.pages) > 1 {
		p := c.hand
		c.hand = p.next
		if p == keep || p.used.Swap(false) {
			continue
		}
		p.prev.next, p.next.prev = p.next, p.prev
		delete(c.pages, p.number)
		c.weight -= p.weight
	}
}

// decodeAll reads blocks that follow each other, and keeps them as far as they are blocks of a bee.
func (c *cache) decodeAll(fork, first uint64, raws [][]byte) {
	for len(raws) > 0 {
		n := min(uint64(len(raws)), pageBlocks-first%pageBlocks)
		list := make([]block, 0, n)
		for i, raw := range raws[:n] {
			if list = list[:len(list)+1]; list[len(list)-1].decode(first+uint64(i), raw) != nil {
				list = list[:len(list)-1]
			}
		}
		if len(list) > 0 {
			c.add(fork, list)
		}
		raws, first = raws[n:], first+n
	}
}

// miss counts that a block of a group was not in the cache, and returns how often that was so lately, as far as matters.
func (c *cache) miss(group uint64) int {
	c.misses.Lock()
	defer c.misses.Unlock()
	if c.missed == nil || len(c.missed) >= missedGroups {
		c.missed = make(map[uint64]uint8)
	}
	n := c.missed[group]
	if n < 255 {
		n++
	}
	c.missed[group] = n
	return int(n)
}
