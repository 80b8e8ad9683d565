package secretstream

import "slices"

// buffer holds bytes between a stream and its frames. It is small when there is little to do, and grows with use.
type buffer struct {
	b          []byte // the first room bytes belong to the cipher
	start, end int    // of what was read and not consumed
	full       bool   // the last read filled it
	calm       int    // reads in a row that were small
}

// held is what was read and not consumed.
func (b *buffer) held() []byte { return b.b[b.start:b.end] }

// space returns where to read to, at least one byte. need is the length of the frame that has begun, when it is known.
// The buffer at most doubles, and only when it is full of that frame: it is never much larger than what has come.
func (b *buffer) space(need int) []byte {
	switch size := len(b.b); {
	case b.start == b.end:
		b.start, b.end = room, room
		b.resize(size)
	case b.start > room && b.start+need > size:
		b.end = room + copy(b.b[room:], b.held())
		b.start = room
	case b.end == size:
		grown := make([]byte, max(minBuffer, min(2*size, room+need)))
		copy(grown, b.b)
		b.b = grown
	}
	return b.b[b.end:]
}

// resize picks the size for the time to come. Nothing is held.
func (b *buffer) resize(size int) {
	want := size
	switch {
	case size < minBuffer || size > minBuffer && b.calm >= calmUses:
		want = minBuffer
	case b.full && size < maxBuffer:
		want = min(4*size, maxBuffer)
	case !b.full && size > maxBuffer:
		want = maxBuffer
	}
	if want != size {
		b.b = make([]byte, want)
		b.full, b.calm = false, 0
	}
}

// filled notes that n bytes were read to what space returned.
func (b *buffer) filled(n int) {
	b.end += n
	b.full = b.end == len(b.b)
	if n <= smallUse {
		b.calm++
	} else {
		b.calm = 0
	}
}

// outbox gathers frames to be written.
type outbox struct {
	b    []byte // the first room bytes belong to the cipher
	calm int    // uses in a row that were small
}

// begin empties the outbox.
func (o *outbox) begin() {
	if o.b == nil || cap(o.b) > 2*maxBuffer || o.calm >= calmUses && cap(o.b) > minBuffer {
		o.b, o.calm = make([]byte, room, minBuffer), 0
	}
	o.b = o.b[:room]
}

// pending is what is to be written.
func (o *outbox) pending() []byte { return o.b[room:] }

// written notes the end of a use, by how much it was.
func (o *outbox) written(n int) {
	if n <= smallUse {
		o.calm++
	} else {
		o.calm = 0
	}
}

// add appends a frame with msg, sealed by s when there is one.
func (o *outbox) add(s *box, msg []byte) (err error) {
	at := len(o.b)
	if s == nil {
		o.b = slices.Grow(o.b, lengthBytes+len(msg))
		o.b = append(append(o.b, 0, 0, 0), msg...)
	} else if o.b, err = s.seal(append(slices.Grow(o.b, lengthBytes+overhead+len(msg)), 0, 0, 0), msg); err != nil {
		return err
	}
	n := len(o.b) - at - lengthBytes
	o.b[at], o.b[at+1], o.b[at+2] = byte(n), byte(n>>8), byte(n>>16)
	return nil
}
