package keys

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what a secret prints as, in every form.
const redacted = "redacted"

// A Seed is the secret that a key pair is made from. It prints as "redacted"; see the package comment for the one gap.
type Seed [32]byte

// String returns "redacted".
func (Seed) String() string { return redacted }

// GoString returns "redacted".
func (Seed) GoString() string { return redacted }

// Format writes "redacted" for every verb.
func (Seed) Format(f fmt.State, _ rune) { writeRedacted(f) }

// LogValue returns "redacted".
func (Seed) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "redacted", so that no encoder writes the secret by accident. Save s[:] to keep it.
func (Seed) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// A PrimaryKey is the one secret of a store; the pairs of all its named cores are derived from it with
// [PrimaryKey.Pair]. It prints as "redacted"; see the package comment for the one gap.
type PrimaryKey [32]byte

// NewPrimaryKey returns a random primary key. It fails only when the system has no randomness.
func NewPrimaryKey() (PrimaryKey, error) {
	b, err := random()
	return PrimaryKey(b), err
}

// String returns "redacted".
func (PrimaryKey) String() string { return redacted }

// GoString returns "redacted".
func (PrimaryKey) GoString() string { return redacted }

// Format writes "redacted" for every verb.
func (PrimaryKey) Format(f fmt.State, _ rune) { writeRedacted(f) }

// LogValue returns "redacted".
func (PrimaryKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "redacted", so that no encoder writes the secret by accident. Save p[:] to keep it.
func (PrimaryKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// writeRedacted ignores the error as every formatter does: f is fmt's own buffer.
func writeRedacted(f fmt.State) { _, _ = io.WriteString(f, redacted) }

func random() (b [32]byte, err error) {
	if _, err := io.ReadFull(rand.Reader, b[:]); err != nil {
		return [32]byte{}, fmt.Errorf("reading randomness: %w", err)
	}
	return b, nil
}
