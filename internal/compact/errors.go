package compact

import "errors"

var (
	// ErrShort tells that the input ends before the value does.
	ErrShort = errors.New("compact: out of bounds")
	// ErrRange tells that a number is above [MaxSafe].
	ErrRange = errors.New("compact: number above 2^53-1")
	// ErrCount tells that an array has more than [MaxArray] items.
	ErrCount = errors.New("compact: array is too big")
)
