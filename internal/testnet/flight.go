package testnet

import (
	"bytes"
	"sync"
	"time"
)

// flight is packets on their way, in one direction. They may overtake each other.
type flight struct {
	arrive func([]byte)

	mu      sync.Mutex // guards what follows
	line    line
	next    uint64
	timers  map[uint64]*time.Timer
	landing sync.WaitGroup // one for each timer
	over    bool
}

func newFlight(s Shape, arrive func([]byte)) *flight {
	return &flight{arrive: arrive, line: newLine(s), timers: map[uint64]*time.Timer{}}
}

// send sends a packet, or loses it: by chance, or because the queue is full.
func (f *flight) send(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.over || f.line.until(now) > 0 {
		return
	}
	at, lost := f.line.send(now, len(b))
	if lost {
		return
	}
	b = bytes.Clone(b)
	f.landing.Add(1)
	f.next++
	number := f.next
	f.timers[number] = time.AfterFunc(at.Sub(now), func() { f.land(number, b) })
}

// land lets a packet arrive.
func (f *flight) land(number uint64, b []byte) {
	defer f.landing.Done()
	f.mu.Lock()
	delete(f.timers, number)
	over := f.over
	f.mu.Unlock()
	if !over {
		f.arrive(b)
	}
}

// stop loses all that is on its way, and waits for what is arriving.
func (f *flight) stop() {
	f.mu.Lock()
	f.over = true
	for _, timer := range f.timers {
		if timer.Stop() {
			f.landing.Done()
		}
	}
	f.mu.Unlock()
	f.landing.Wait()
}
