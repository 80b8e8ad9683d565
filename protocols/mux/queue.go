package mux

import "github.com/hypernode/hypernode/internal/compact"

// queue is what waits to be written: messages behind each other in one buffer.
type queue struct {
	arena   []byte
	entries []entry
	control int // bytes of control messages
	unsent  int // bytes of other messages

	batches []byte   // frames of several messages, made when it is their turn
	frames  [][]byte // of arena and batches
	calm    int      // uses in a row that were small
}

// entry is a message: type and payload are arena[start:end], and before start there is room for the channel.
type entry struct {
	channel    uint64
	start, end int
}

// Queues that are little used several times in a row give their memory back.
const (
	smallQueue = 4 << 10
	calmQueues = 8
)

// add appends a message with the payload that encode appends, and returns its size. It takes it back and returns false
// when the payload is above MaxMessage.
func (q *queue) add(channel, typ uint64, encode func([]byte) []byte) (size int, ok bool) {
	before := len(q.arena)
	var spare [maxUint]byte
	q.arena = append(q.arena, spare[:]...)
	start := len(q.arena)
	q.arena = compact.AppendUint(q.arena, typ)
	payload := len(q.arena)
	q.arena = encode(q.arena)
	if len(q.arena)-payload > MaxMessage {
		q.arena = q.arena[:before]
		return 0, false
	}
	q.entries = append(q.entries, entry{channel, start, len(q.arena)})
	size = len(q.arena) - before
	if channel == 0 {
		q.control += size
	} else {
		q.unsent += size
	}
	return size, true
}

// pack returns the messages as frames, in order: small ones that follow each other as batches, others alone.
func (q *queue) pack() [][]byte {
	for from := 0; from < len(q.entries); {
		to := q.batchEnd(from)
		if to-from == 1 {
			q.frames = append(q.frames, q.single(q.entries[from]))
		} else {
			q.frames = append(q.frames, q.batch(q.entries[from:to]))
		}
		from = to
	}
	return q.frames
}

// batchEnd returns the end of the entries that go out together, of which from is the first.
func (q *queue) batchEnd(from int) (to int) {
	size := 0
	for to = from; to < len(q.entries); to++ {
		n := q.entries[to].size()
		size += n
		if n > batchedMessage || size > batchBytes {
			break
		}
	}
	return max(to, from+1)
}

func (e entry) size() int { return e.end - e.start + maxUint }

// single puts the channel in front of a message, where there is room for it.
func (q *queue) single(e entry) []byte {
	at := e.start - compact.SizeUint(e.channel)
	compact.AppendUint(q.arena[at:at:e.start], e.channel)
	return q.arena[at:e.end]
}

// batch makes a frame of several messages. Frames made before stay as they are when batches moves.
func (q *queue) batch(entries []entry) []byte {
	at, channel := len(q.batches), uint64(0)
	for i, e := range entries {
		q.batches = appendItemHead(q.batches, i == 0, channel, e.channel, e.end-e.start)
		q.batches = append(q.batches, q.arena[e.start:e.end]...)
		channel = e.channel
	}
	return q.batches[at:]
}

// reset empties the queue for its next use.
func (q *queue) reset() {
	if q.calm++; len(q.arena) > smallQueue {
		q.calm = 0
	}
	if q.calm >= calmQueues && cap(q.arena) > smallQueue || cap(q.arena) > 8*defaultUnsent {
		*q = queue{}
		return
	}
	clear(q.frames)
	*q = queue{arena: q.arena[:0], entries: q.entries[:0], batches: q.batches[:0], frames: q.frames[:0], calm: q.calm}
}
