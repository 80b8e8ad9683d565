package blobs

import (
	"bytes"
	"context"

	"github.com/hypernode/hypernode/core"
)

// Tail is the right to write at the end of the core, which one has at a time. Blobs that are put wait in memory until they are
// appended, by Flush, or by the caller together with what tells of them: see Pending.
type Tail struct {
	blobs   *Blobs
	session *core.Core
	bytes   uint64 // in the core, with what waits
	at      uint64 // the length of the core
	blocks  [][]byte
	size    int // of blocks in bytes
}

// Lock waits until nobody else writes blobs to the core, be it through another handle, and returns the right to.
func (b *Blobs) Lock(ctx context.Context) (*Tail, error) {
	select {
	case <-b.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	session, err := b.exclusive(ctx)
	if err != nil {
		b.turn <- struct{}{}
		return nil, err
	}
	head := b.core.Head()
	return &Tail{blobs: b, session: session, bytes: head.ByteLength, at: head.Length}, nil
}

// exclusive returns a handle whose only use is that there is no second exclusive one.
func (b *Blobs) exclusive(ctx context.Context) (*core.Core, error) {
	if !b.core.Writable() {
		return nil, core.ErrNotWritable
	}
	session, err := b.core.At(0)
	if err != nil {
		return nil, err
	}
	if err := session.Exclusive(ctx); err != nil {
		session.Close()
		return nil, err
	}
	return session, nil
}

// Unlock gives the right back, and forgets what was not appended. A second call does nothing.
func (t *Tail) Unlock() {
	if t.session == nil {
		return
	}
	t.session.Close()
	t.session, t.blocks = nil, nil
	t.blobs.turn <- struct{}{}
}

// Put adds a blob to what waits, and returns its id. The data is not copied: it must stay as it is until it is appended.
func (t *Tail) Put(data []byte) ID {
	id := ID{BlockOffset: t.next(), ByteOffset: t.bytes}
	for len(data) > 0 {
		n := min(len(data), t.blobs.size)
		t.add(data[:n:n])
		data = data[n:]
	}
	return t.end(id)
}

// PutCopy is Put of a copy of the data.
func (t *Tail) PutCopy(data []byte) ID { return t.Put(bytes.Clone(data)) }

// end is the id of what was added since its start.
func (t *Tail) end(id ID) ID {
	id.BlockLength, id.ByteLength = t.next()-id.BlockOffset, t.bytes-id.ByteOffset
	return id
}

// next is the index of the next block.
func (t *Tail) next() uint64 { return t.at + uint64(len(t.blocks)) }

func (t *Tail) add(block []byte) {
	t.blocks = append(t.blocks, block)
	t.bytes += uint64(len(block))
	t.size += len(block)
}

// Size returns how many bytes wait.
func (t *Tail) Size() int { return t.size }

// Pending returns what waits, for core.AppendTogether. Tell Appended when it was appended.
func (t *Tail) Pending() core.Appending {
	return core.Appending{Core: t.blobs.core, Blocks: t.blocks, At: t.at}
}

// Appended tells that what waited was appended. It returns those blocks, which are the caller's again.
func (t *Tail) Appended() [][]byte {
	blocks := t.blocks
	t.at, t.blocks, t.size = t.next(), nil, 0
	return blocks
}

// Flush appends what waits.
func (t *Tail) Flush(ctx context.Context) error {
	if len(t.blocks) == 0 {
		return nil
	}
	if err := core.AppendTogether(ctx, t.Pending()); err != nil {
		return err
	}
	t.Appended()
	return nil
}
