package merkle

import (
	"errors"
	"fmt"
)

// Errors about proofs that were received. Everything that [Check], [CheckRemote], [Reorg.Feed], [CheckConflict] and the
// decoders refuse wraps ErrInvalidProof; the finer ones tell why, and so who may be to blame.
var (
	// ErrInvalidProof is wrapped by every refusal of a proof.
	ErrInvalidProof = errors.New("merkle: invalid proof")

	// ErrInvalidOperation tells that the proof does not fit the tree: nodes missing, surplus or out of order, or a path
	// that ends at a node that is not stored. An honest answer to a request made from an older tree can look like this.
	ErrInvalidOperation = fmt.Errorf("%w: does not fit the tree", ErrInvalidProof)

	// ErrInvalidChecksum tells that a hash or a size differs from what is stored. Either side of a conflict sees it.
	ErrInvalidChecksum = fmt.Errorf("%w: checksum differs", ErrInvalidProof)

	// ErrInvalidSignature tells that the roots are not signed by the core's authority.
	ErrInvalidSignature = fmt.Errorf("%w: signature refused", ErrInvalidProof)

	// ErrStale tells that the upgrade starts before the length the tree has: it was made for the tree as it was. It is an
	// ErrInvalidOperation. The rest of the proof may still hold: check it again without its upgrade.
	ErrStale = fmt.Errorf("%w: upgrade is stale", ErrInvalidOperation)
)

// Errors about requests, and about the trees and nodes of our own.
var (
	// ErrInvalidRequest tells that a request makes no sense for any tree, or that its encoding is broken.
	ErrInvalidRequest = errors.New("merkle: invalid request")

	// ErrInvalidUpgrade tells that the upgrade asked for is empty or ends beyond the tree. It wraps ErrInvalidRequest.
	ErrInvalidUpgrade = fmt.Errorf("%w: upgrade outside the tree", ErrInvalidRequest)

	// ErrOutOfBounds tells that a block, a node or a path is outside the tree. It wraps ErrInvalidRequest.
	ErrOutOfBounds = fmt.Errorf("%w: outside the tree", ErrInvalidRequest)

	// ErrWrongFork tells that the request is for another fork than the tree's.
	ErrWrongFork = errors.New("merkle: other fork")

	// ErrMissingNode tells that a node that is needed is not stored.
	ErrMissingNode = errors.New("merkle: node is not stored")

	// ErrUnsureSize tells that an answer rests on a size that is not proven.
	ErrUnsureSize = errors.New("merkle: size is not proven")

	// ErrOutOfRange tells that a block or byte position is past the end.
	ErrOutOfRange = errors.New("merkle: past the end")

	// ErrInvalidTree tells that roots do not make a tree, or that a tree grew beyond 2^53-1 bytes or blocks.
	ErrInvalidTree = errors.New("merkle: invalid tree")

	// ErrNoConflict tells that a conflict proof shows no conflict.
	ErrNoConflict = errors.New("merkle: no conflict")
)
