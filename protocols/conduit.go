package protocols

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// conduit is a stream of libp2p whose Close unblocks calls that wait, and whose protocol may still be negotiated: rw does
// that with the first bytes.
type conduit struct {
	network.Stream
	rw     io.ReadWriter
	memory int

	closing  sync.Once
	finished sync.Once
}

// take counts a stream among those of a service and reserves memory for it. A stream that is one too many is reset.
func take(st network.Stream, service string, memory int) (*conduit, error) {
	err := st.Scope().SetService(service)
	if err == nil {
		err = st.Scope().ReserveMemory(memory, network.ReservationPriorityAlways)
	}
	if err != nil {
		st.ResetWithError(network.StreamResourceLimitExceeded)
		return nil, fmt.Errorf("taking a stream of %s: %w", st.Conn().RemotePeer(), err)
	}
	return &conduit{Stream: st, rw: st, memory: memory}, nil
}

// Read implements io.Reader.
func (c *conduit) Read(p []byte) (int, error) { return c.rw.Read(p) }

// Write implements io.Writer.
func (c *conduit) Write(p []byte) (int, error) { return c.rw.Write(p) }

// Close ends the stream in both directions, after what Write has returned for. Calls that wait return an error.
func (c *conduit) Close() (err error) {
	c.closing.Do(func() {
		c.Stream.SetDeadline(time.Unix(1, 0)) // a write that waits for the peer must not hold up the end
		if err = c.Stream.Close(); err != nil {
			c.Stream.Reset()
		}
		c.Stream.Scope().ReleaseMemory(c.memory)
	})
	return err
}

// finish ends the stream. A code other than zero resets it, so that the peer learns of its fault.
func (c *conduit) finish(code network.StreamErrorCode) {
	c.finished.Do(func() {
		if code != network.StreamNoError {
			c.Stream.ResetWithError(code)
		}
		c.Close()
	})
}
