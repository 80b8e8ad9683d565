//go:build !purego

package blake2x

import "encoding/binary"

const (
	maxLanes = 8
	maxRun   = 1024 // blocks in one call of assembly, which the scheduler cannot interrupt: about 0.2 ms
)

// batch is the work on one call's messages. Each lane takes a message, cuts it into runs (the first block with the head, the
// blocks that can be read in place, the last block), and takes the next message when it is done. All lanes advance together
// by the shortest of their runs, so equal lengths stay in step and need three runs for the whole group.
//
// It holds no pointer into the messages: those live only in step, so that the compiler sees that nothing is kept.
type batch struct {
	h    [8][maxLanes]uint64
	t, f [maxLanes]uint64
	buf  [maxLanes][blockSize]byte // the blocks that are not read in place

	lanes [maxLanes]lane
	width int // lanes that the CPU has
	live  int // lanes that have a message
	next  int // the first message that no lane has taken
}

// lane is a place in a message.
type lane struct {
	msg   int
	pos   int  // bytes hashed, head included
	run   int  // blocks until the next run
	live  bool // there is a message
	built bool // this run is the block in buf, else it lies in Data
	last  bool // this run ends the message
}

// sumLanes fills the lanes, advances them and collects what is done, until no lane has a message.
func sumLanes(k kernel, out [][Size]byte, in []Message) {
	b := batch{width: k.lanes()}
	for {
		n := b.fill(out, in)
		if n == 0 {
			return
		}
		b.step(k, in, n)
		b.collect(out)
	}
}

// fill gives every lane a run as long as there are messages, and returns the number of blocks that all lanes can advance, 0 at
// the end.
func (b *batch) fill(out [][Size]byte, in []Message) int {
	n := 0
	for i := range b.lanes[:b.width] {
		l := &b.lanes[i]
		if !l.live && !b.take(i, out, in) {
			continue
		}
		if l.run == 0 {
			b.enter(i, &in[l.msg])
		}
		if n == 0 || l.run < n {
			n = l.run
		}
	}
	return min(n, maxRun)
}

// take starts the next message in lane i, if there is one. A last message that would have all lanes to itself is hashed at once
// instead, which is faster.
func (b *batch) take(i int, out [][Size]byte, in []Message) bool {
	m := b.next
	if m == len(in) {
		return false
	}
	b.next++
	if b.live == 0 && b.next == len(in) {
		sumPlain(out[m:], in[m:])
		return false
	}
	b.live++
	b.lanes[i] = lane{msg: m, live: true}
	b.reset(i)
	return true
}

// reset puts lane i before the first block of a message: the IV of BLAKE2b, its first word mixed with the parameters (a hash
// of 32 bytes, no key, sequential).
func (b *batch) reset(i int) {
	i %= maxLanes // spares the bounds checks
	b.h[0][i] = 0x6a09e667f3bcc908 ^ 0x01010000 ^ Size
	b.h[1][i] = 0xbb67ae8584caa73b
	b.h[2][i] = 0x3c6ef372fe94f82b
	b.h[3][i] = 0xa54ff53a5f1d36f1
	b.h[4][i] = 0x510e527fade682d1
	b.h[5][i] = 0x9b05688c2b3e6c1f
	b.h[6][i] = 0x1f83d9abfb41bd6b
	b.h[7][i] = 0x5be0cd19137e2179
	b.t[i], b.f[i] = 0, 0
}

// enter begins the next run of the message m in lane i. Only blocks that hold part of the head, and the last one, which may have
// to be filled up with zeros, are built in buf.
func (b *batch) enter(i int, m *Message) {
	l := &b.lanes[i]
	size := len(m.Head) + len(m.Data)
	left := size - l.pos
	l.last = left <= blockSize
	l.built = l.last || l.pos < len(m.Head)
	l.run = 1
	if !l.built {
		l.run = (left - 1) / blockSize
		return
	}
	block := &b.buf[i]
	if l.last {
		b.f[i] = ^uint64(0)
		b.t[i] = uint64(size) - blockSize // the kernel adds a block: with wrap-around this gives size
		*block = [blockSize]byte{}
	}
	n := copy(block[:], m.Head[min(l.pos, len(m.Head)):])
	copy(block[n:], m.Data[max(l.pos-len(m.Head), 0):])
}

// step advances all lanes by n blocks. Lanes without a message read along where another reads, and their result is not used.
func (b *batch) step(k kernel, in []Message, n int) {
	var p [maxLanes]*byte
	var spare *byte
	for i := range b.lanes[:b.width] {
		l := &b.lanes[i]
		if !l.live {
			continue
		}
		if l.built {
			p[i] = &b.buf[i][0]
		} else {
			m := &in[l.msg]
			p[i] = &m.Data[l.pos-len(m.Head)]
		}
		spare = p[i]
		l.pos += n * blockSize
		l.run -= n
	}
	for i := range p {
		if p[i] == nil {
			p[i] = spare
		}
	}
	if k == avx512 {
		compress8(&b.h, &b.t, &b.f, &p, n)
	} else {
		compress4(&b.h, &b.t, &b.f, &p, n)
	}
}

// collect writes the hashes of the messages that are done, the first four words of their states, and frees their lanes.
func (b *batch) collect(out [][Size]byte) {
	for i := range b.lanes[:b.width] {
		l := &b.lanes[i]
		if !l.live || !l.last {
			continue
		}
		o := &out[l.msg]
		for w := range Size / 8 {
			binary.LittleEndian.PutUint64(o[8*w:], b.h[w][i])
		}
		l.live = false
		b.live--
	}
}
