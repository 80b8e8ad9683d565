package core

import "context"

// Source gets what a core lacks. Attach is called once when a core is opened, which waits for it; it must not change the core,
// and changes that others make meanwhile wait until it has returned.
type Source interface{ Attach(c *Core) Session }

// Session serves one core's wants. Its methods may be called from several goroutines.
type Session interface {
	// Fetch returns nil once what w asks for has come in through Apply, an error when it cannot be had or ctx ends.
	Fetch(ctx context.Context, w Want) error
	// Changed tells of a commit, in commit order. It must not block and must not call the core.
	Changed(ch Change)
	// Close ends the session. Its Fetch calls return; none is made after it.
	Close() error
}

// Extender is a Session that carries named messages between the holders of a core, and blocks that nobody asked for.
type Extender interface {
	// Send gives data to the peer that knows the extension, or with peer "" to all of the core.
	Send(peer, name string, data []byte)
	// Handle sets the receiver of the extension's messages; nil removes it. receive must not block.
	Handle(name string, receive func(peer string, data []byte))
	// Push sends blocks that are here to a peer that takes such gifts and has not said that it has them.
	Push(peer string, blocks []uint64)
}

// Range is the blocks Start <= i < End. As a Want, End 0 stands for "and all that follow".
type Range struct{ Start, End uint64 }

// Want is what a core asks of its source.
type Want struct {
	// Blocks and Ranges name blocks to download.
	Blocks []uint64
	Ranges []Range
	// Seek asks for the tree nodes that lead to a byte position.
	Seek *SeekWant
	// Head asks for the newest head that a peer can prove.
	Head bool
	// Anew asks for blocks even where they are held: what is stored of them is corrupt, and a store that takes no writes
	// cannot drop it.
	Anew bool
	// Linear keeps blocks of Ranges from coming long before those in front of them: at most about 32 MiB, or 256 blocks,
	// are asked for from the first one on that is missing. Without it they are asked for in ascending order too, but
	// peers that are fast go ahead of others without a bound.
	Linear bool
	// Priority is 0 for bulk; a higher one overtakes.
	Priority int
	// Progress is told of each block that came in; it must not block.
	Progress func(done, total uint64)
	// Meter, if not nil, is kept up to date while the want is fetched.
	Meter *Meter
}

// SeekWant is a byte position in the log, Padding bytes of each block not counted.
type SeekWant struct{ Bytes, Padding uint64 }

// Change tells what a commit changed.
type Change struct {
	// Head is the head that may be shown to peers: on stable storage if this node signed it.
	Head Head
	// Have are blocks that came in, Dropped blocks that are held no longer.
	Have, Dropped []Range
	// Conflict is set when the core was frozen.
	Conflict bool
}
