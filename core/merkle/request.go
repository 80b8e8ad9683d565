package merkle

import (
	"fmt"

	"github.com/hypernode/hypernode/internal/compact"
)

// Request is what one peer asks of another: any of a block or a node of the tree, a byte position, and the way from its
// length to a newer one. It is the body of the request message.
type Request struct {
	ID       uint64 // repeated in the answer; 0 is a conflict probe
	Fork     uint64
	Block    *BlockRequest
	Hash     *HashRequest
	Seek     *SeekRequest
	Upgrade  *UpgradeRequest
	Manifest bool   // the answer shall carry the manifest
	Priority uint64 // 0 is normal, more is more urgent
}

// BlockRequest asks for a block and its path to a node that the asker has. When the block is at or past the start of an
// upgrade in the same request, Nodes is ignored and the path runs into the upgrade.
type BlockRequest struct {
	Index uint64 // block
	Nodes uint64 // levels up to the first node that the asker has, see MissingNodes
}

// HashRequest asks for a node of the tree and its path. A request with both Block and Hash is answered for the block.
type HashRequest struct {
	Index uint64 // node
	Nodes uint64 // as in BlockRequest
}

// SeekRequest asks for the nodes that show where a byte position is.
type SeekRequest struct {
	Bytes   uint64
	Padding uint64 // bytes at the front of each block that do not count
}

// UpgradeRequest asks for the nodes that lead from a tree of Start blocks to one of Start+Length.
type UpgradeRequest struct {
	Start  uint64
	Length uint64
}

// Flags of a request.
const (
	requestBlock    = 1
	requestHash     = 2
	requestSeek     = 4
	requestUpgrade  = 8
	requestManifest = 16
	requestPriority = 32
)

// AppendRequest appends the wire form of q:
//
//	flags | id | fork | [block: index, nodes] | [hash: index, nodes] | [seek: bytes, padding] | [upgrade: start, length] | [priority]
//
// all of them uints; flags 1, 2, 4, 8 and 32 tell which sections are there, 16 asks for the manifest.
func AppendRequest(b []byte, q *Request) []byte {
	b = compact.AppendUint(b, q.flags())
	b = compact.AppendUint(b, q.ID)
	b = compact.AppendUint(b, q.Fork)
	if s := q.Block; s != nil {
		b = appendPair(b, s.Index, s.Nodes)
	}
	if s := q.Hash; s != nil {
		b = appendPair(b, s.Index, s.Nodes)
	}
	if s := q.Seek; s != nil {
		b = appendPair(b, s.Bytes, s.Padding)
	}
	if s := q.Upgrade; s != nil {
		b = appendPair(b, s.Start, s.Length)
	}
	if q.Priority != 0 {
		b = compact.AppendUint(b, q.Priority)
	}
	return b
}

func (q *Request) flags() uint64 {
	return flag(q.Block != nil, requestBlock) | flag(q.Hash != nil, requestHash) | flag(q.Seek != nil, requestSeek) |
		flag(q.Upgrade != nil, requestUpgrade) | flag(q.Manifest, requestManifest) | flag(q.Priority != 0, requestPriority)
}

func flag(set bool, f uint64) uint64 {
	if set {
		return f
	}
	return 0
}

func appendPair(b []byte, x, y uint64) []byte { return compact.AppendUint(compact.AppendUint(b, x), y) }

// DecodeRequest reads what AppendRequest writes. Unknown flags and bytes after the last section are ignored. The error
// wraps ErrInvalidRequest.
func DecodeRequest(b []byte) (*Request, error) {
	d := compact.NewDecoder(b)
	flags := d.Uint()
	both := &struct {
		q Request
		b BlockRequest
	}{q: Request{ID: d.Uint(), Fork: d.Uint(), Manifest: flags&requestManifest != 0}}
	q := &both.q
	if flags&requestBlock != 0 {
		q.Block = &both.b
		q.Block.Index, q.Block.Nodes = d.Uint(), d.Uint()
	}
	if flags&requestHash != 0 {
		q.Hash = &HashRequest{Index: d.Uint(), Nodes: d.Uint()}
	}
	if flags&requestSeek != 0 {
		q.Seek = &SeekRequest{Bytes: d.Uint(), Padding: d.Uint()}
	}
	if flags&requestUpgrade != 0 {
		q.Upgrade = &UpgradeRequest{Start: d.Uint(), Length: d.Uint()}
	}
	if flags&requestPriority != 0 {
		q.Priority = d.Uint()
	}
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("%w: decode: %w", ErrInvalidRequest, err)
	}
	return q, nil
}
