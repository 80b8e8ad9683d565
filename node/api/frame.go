package api

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// The frames of a command that the node carries out: a kind, a number of 4 bytes that names a file or an answer, a length of 4 bytes,
// both big-endian, and so many bytes.
//
// From the node: what is printed, the exit code, and requests for files, each under a new number that the answer repeats.
const (
	frameOut    = 'o' // standard output
	frameErr    = 'e' // standard error
	frameExit   = 'x' // the exit code, in decimal; the last frame
	frameOpen   = 'O' // open a file by name, "" for standard input; the number is the file's from then on
	frameStat   = 'S' // describe the file of a name
	frameRead   = 'R' // read up to so many bytes of it, in decimal
	frameClose  = 'C' // done with it
	frameCreate = 'N' // write a file by name, which appears when it is complete
	frameWrite  = 'W' // bytes for it
	frameCommit = 'F' // it is complete
	frameAbort  = 'A' // it is not wanted any more
)

// From the other side: an answer to a request other than frameClose and frameAbort, or an interrupt.
const (
	frameAnswer    = 'a' // what was read; of frameOpen a description
	frameEnd       = 'z' // the file has ended
	frameFault     = 'f' // it failed: a fault
	frameInterrupt = 'i'
)

// maxFrame is the most bytes of a frame, ioFrame those of a read or write.
const (
	maxFrame = 1 << 20
	ioFrame  = 256 << 10
)

type frame struct {
	kind byte
	id   uint32
	data []byte
}

// frames is a stream of frames. write may be called from several goroutines, read from one.
type frames struct {
	in *bufio.Reader

	mu  sync.Mutex
	out io.Writer
}

func (f *frames) write(kind byte, id uint32, data []byte) error {
	b := make([]byte, 9, 9+len(data))
	b[0] = kind
	binary.BigEndian.PutUint32(b[1:], id)
	binary.BigEndian.PutUint32(b[5:], uint32(len(data)))
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.out.Write(append(b, data...))
	return err
}

func (f *frames) read() (frame, error) {
	var b [9]byte
	if _, err := io.ReadFull(f.in, b[:]); err != nil {
		return frame{}, err
	}
	n := binary.BigEndian.Uint32(b[5:])
	if n > maxFrame {
		return frame{}, fmt.Errorf("api: a frame of %d bytes", n)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(f.in, data); err != nil {
		return frame{}, noEOF(err)
	}
	return frame{b[0], binary.BigEndian.Uint32(b[1:]), data}, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// pieces calls fn with pieces of b that fit into a frame.
func pieces(b []byte, fn func([]byte) error) (n int, err error) {
	for len(b) > 0 {
		part := b[:min(len(b), ioFrame)]
		if err := fn(part); err != nil {
			return n, err
		}
		n += len(part)
		b = b[len(part):]
	}
	return n, nil
}
