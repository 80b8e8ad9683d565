package interop

import (
	"context"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

// Side is a store that replicates, of either make.
type Side interface {
	// Make is "Go" or "JS".
	Make() string
	// Open opens a core, making it when the store does not hold it.
	Open(ctx context.Context, s Spec) (Log, error)
	// Static makes a core of what a log of this side holds now, which nobody can change.
	Static(ctx context.Context, of Log) (Log, error)
	// Listen accepts connections until the link is closed, and with it those that were accepted.
	Listen(ctx context.Context, f Framing) (Link, error)
	// Dial connects to a port of loopback.
	Dial(ctx context.Context, f Framing, port int) (Link, error)
}

// Log is a core on one side.
type Log interface {
	// Append adds blocks.
	Append(ctx context.Context, blocks ...[]byte) error
	// Truncate cuts the log to a length and begins a new fork.
	Truncate(ctx context.Context, length uint64) error
	// Clear removes blocks from this side.
	Clear(ctx context.Context, start, end uint64) error
	// Get returns a block, from a peer if need be, until ctx ends.
	Get(ctx context.Context, i uint64) ([]byte, error)
	// Download fetches blocks, also those that are not appended yet, until all are here or ctx ends.
	Download(ctx context.Context, start, end uint64) error
	// Reach waits for a length of at least length on a fork.
	Reach(ctx context.Context, fork, length uint64) error
	// Stored returns the blocks that are here, nil for those that are not.
	Stored(ctx context.Context, start, end uint64) ([][]byte, error)
	// State returns what there is to compare.
	State(ctx context.Context) (State, error)
	// Unavailable tells whether an error of Get says that nobody gave the block.
	Unavailable(err error) bool
	// Detail tells what there is to know when a test has failed.
	Detail(ctx context.Context) string
	// Close gives the handle up.
	Close(ctx context.Context) error
}

// Spec says which core to open: the one of a name, or of a key, or that Signer signs, or that a quorum of Signers sign.
type Spec struct {
	Name       string
	Key        keys.Key
	Signer     keys.Seed
	Signers    []keys.Seed // more than one; the first Quorum of them sign what is appended here
	Quorum     int
	Compat     bool     // of Hypercore 10; with Signer
	Encryption [32]byte // zero for none
}

// State is what there is to compare of a log.
type State struct {
	Key        keys.Key
	Fork       uint64
	Length     uint64
	ByteLength uint64
	Contiguous uint64
	Hash       [32]byte
	Held       []core.Range
}

// Link is a connection, or what accepts connections.
type Link interface {
	// Port is where connections are accepted; 0 for a connection.
	Port() int
	// Close ends it; when it returns this side has let go of it.
	Close(ctx context.Context) error
}

// Framing is how messages are carried over TCP.
type Framing int

const (
	// SecretStream is the Noise handshake and the encrypted stream of Hypercore's own transport.
	SecretStream Framing = iota
	// Framed is for streams that are encrypted and authenticated already. Here these are bare TCP, and the peer ids made up.
	Framed
)

// String names the framing.
func (f Framing) String() string {
	if f == Framed {
		return "framed"
	}
	return "secret stream"
}

// peerIDs are the made-up names of the two ends of a framed stream.
func peerIDs(dials bool) (local, remote []byte) {
	dialer, listener := []byte("\x00\x24interop dialer"), []byte("\x00\x24interop listener, with a longer id")
	if dials {
		return dialer, listener
	}
	return listener, dialer
}
