package wire

import (
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/internal/compact"
)

var (
	// ErrMessage tells that a message is broken or above a limit. Its sender is at fault and the stream ends.
	ErrMessage = errors.New("wire: broken message")

	// ErrLimit tells that a message is above one of the limits of this package. It is an ErrMessage.
	ErrLimit = fmt.Errorf("%w: above the limit", ErrMessage)
)

// finish turns the error of a decoder, which read a message of type t, into one of this package.
func finish(t Type, d *compact.Decoder) error {
	err := d.Err()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrMessage):
		return fmt.Errorf("decode %v: %w", t, err)
	}
	return fmt.Errorf("decode %v: %w: %w", t, ErrMessage, err)
}
