package core

import "fmt"

// Head tells how far a log reaches. Two heads of one core with equal Fork and Length are the same history, or the core
// is in conflict.
type Head struct {
	// Fork counts the truncations of the log.
	Fork uint64
	// Length is the number of blocks.
	Length uint64
	// ByteLength is the number of bytes in them, without the padding of encrypted blocks.
	ByteLength uint64
}

// String gives "fork 0, 12 blocks, 345 bytes".
func (h Head) String() string {
	return fmt.Sprintf("fork %d, %d blocks, %d bytes", h.Fork, h.Length, h.ByteLength)
}
