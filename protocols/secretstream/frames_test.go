package secretstream

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestFramesBytes(t *testing.T) {
	r := &replay{in: bytes.NewReader([]byte("\x00\x00\x00\x02\x00\x00hi\x01\x00"))}
	f := NewFrames(r, Limits{KeepAlive: -1})
	must(t, f.WriteMessages([]byte("one"), nil, []byte("three")))
	if got := r.out.String(); got != "\x03\x00\x00one\x00\x00\x00\x05\x00\x00three" {
		t.Errorf("%q", got)
	}
	if got, err := f.ReadMessage(); err != nil || string(got) != "hi" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := f.ReadMessage(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: %v", err)
	}
	must(t, f.Close())
}

// counter counts the writes.
type counter struct {
	replay
	writes []int
}

func (c *counter) Write(b []byte) (int, error) {
	c.writes = append(c.writes, len(b))
	return len(b), nil
}

func TestWritesAreLarge(t *testing.T) {
	c := &counter{}
	f := NewFrames(c, Limits{KeepAlive: -1})
	defer f.Close()
	msgs := make([][]byte, 1000)
	for i := range msgs {
		msgs[i] = make([]byte, 1000)
	}
	must(t, f.WriteMessages(msgs...))
	if n := len(c.writes); n != 4 {
		t.Errorf("a million bytes in writes of %v", c.writes)
	}
	c.writes = nil
	must(t, f.WriteMessages(make([]byte, 100), make([]byte, 1<<20), make([]byte, 100)))
	if len(c.writes) != 3 {
		t.Errorf("writes of %v", c.writes)
	}
}

// Buffers shrink when a stream falls quiet.
func TestBuffersShrink(t *testing.T) {
	var in bytes.Buffer
	for range 8 {
		in.Write(frame(make([]byte, 1<<20)))
	}
	quiet := 4 * calmUses
	var stream io.Reader = &in
	for range quiet {
		stream = io.MultiReader(stream, bytes.NewReader(frame([]byte("x"))))
	}
	f := NewFrames(&replay{in: stream}, Limits{KeepAlive: -1})
	defer f.Close()
	largest := 0
	for {
		if _, err := f.ReadMessage(); err != nil {
			break
		}
		largest = max(largest, cap(f.in.b))
	}
	if largest < 1<<20 || cap(f.in.b) > minBuffer {
		t.Errorf("the buffer was %d bytes and is %d", largest, cap(f.in.b))
	}
	must(t, f.WriteMessages(make([]byte, 1<<20)))
	for range 2 * calmUses {
		must(t, f.WriteMessages([]byte("x")))
	}
	if n := cap(f.out.b); n > minBuffer {
		t.Errorf("%d bytes are kept for writing", n)
	}
}
