package bee

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core"
)

// Limits of the exchange of hints.
const (
	maxWaitingHints   = 32      // hints of peers that wait; more are dropped
	maxHintedFetches  = 32      // answers that are being fetched at a time
	maxAllowed        = 1 << 14 // blocks that answers may name in sum, as far as they were asked for
	allowedLookup     = 512     // blocks that may come of one lookup
	maxIteratorBlocks = 2176    // blocks that are told to one who reads a range
	cachedBlocks      = 128     // blocks in one answer
	maxHint           = 64 << 10
	hintedFetchTime   = 30 * time.Second
)

// hints is the exchange of hints with the peers of the core. We tell them what we look for when we must wait for a block;
// they answer with the blocks that this takes, or send these at once, and we do so for them. All of it may be lost.
type hints struct {
	s    *shared
	ctx  func() context.Context
	stop context.CancelFunc

	mu      sync.Mutex // guards the fields below
	waiting []hint
	running bool
	fetches int
	allowed int // blocks that answers may name
	closed  bool
	wg      sync.WaitGroup
}

type hint struct {
	peer string
	data []byte
}

func newHints(s *shared) *hints {
	ctx, stop := context.WithCancel(context.Background())
	h := &hints{s: s, ctx: func() context.Context { return ctx }, stop: stop}
	s.core.Handle(extensionName, h.receive)
	return h
}

func (h *hints) close() {
	h.mu.Lock()
	first := !h.closed
	h.closed = true
	h.mu.Unlock()
	if first {
		h.s.core.Handle(extensionName, nil)
	}
	h.stop()
	h.wg.Wait()
}

func (h *hints) askGet(version uint64, key []byte) {
	h.ask(allowedLookup, &message{get: &lookup{version, key}})
}

func (h *hints) askIterator(m *iterator) { h.ask(maxIteratorBlocks, &message{iterator: m}) }

// ask tells all peers, and allows their answers.
func (h *hints) ask(blocks int, m *message) {
	h.mu.Lock()
	h.allowed = min(h.allowed+blocks, maxAllowed)
	h.mu.Unlock()
	h.s.core.Send("", extensionName, m.payload())
}

// receive takes a hint of a peer. The goroutine that deals with it ends when there is none left.
func (h *hints) receive(peer string, data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.waiting) >= maxWaitingHints || len(data) > maxHint {
		return
	}
	h.waiting = append(h.waiting, hint{peer, slices.Clone(data)})
	if !h.running {
		h.running = true
		h.wg.Go(func() { h.run(h.ctx()) })
	}
}

func (h *hints) run(ctx context.Context) {
	for {
		h.mu.Lock()
		if len(h.waiting) == 0 || h.closed {
			h.running, h.waiting = false, nil
			h.mu.Unlock()
			return
		}
		next := h.waiting[0]
		h.waiting = h.waiting[1:]
		h.mu.Unlock()
		h.deal(ctx, next)
	}
}

// deal answers a hint. One that is malformed, or cannot be answered, is left alone.
func (h *hints) deal(ctx context.Context, x hint) {
	m, err := decodePayload(x.data)
	switch {
	case err != nil:
	case m.cache != nil:
		h.fetch(m.cache)
	case m.get != nil:
		h.answerGet(ctx, x.peer, m.get)
	case m.iterator != nil:
		h.answerIterator(ctx, x.peer, m.iterator)
	}
}

// fetch gets the blocks of an answer to what was asked.
func (h *hints) fetch(m *cached) {
	length := h.s.core.Head().Length
	list := slices.DeleteFunc(m.blocks, func(seq uint64) bool { return seq >= length })
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(list) == 0 || len(list) > h.allowed || h.fetches >= maxHintedFetches {
		return
	}
	h.allowed -= len(list)
	h.fetches++
	h.wg.Go(func() { h.download(h.ctx(), list) })
}

func (h *hints) download(ctx context.Context, list []uint64) {
	ctx, cancel := context.WithTimeout(ctx, hintedFetchTime)
	defer cancel()
	// Who waits for one of them asks for it again.
	_ = h.s.core.Download(ctx, core.Want{Blocks: list, Priority: 1})
	h.mu.Lock()
	h.fetches--
	h.mu.Unlock()
}
