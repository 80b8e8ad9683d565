package bee

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core"
)

// protocol is what block 0 of a bee says.
const protocol = "hyperbee"

// Metadata is what the header of a bee may carry beside its kind.
type Metadata struct {
	// ContentFeed is the key of a core that belongs to this one: for a drive of old, its contents.
	ContentFeed []byte
	// UserData is the application's.
	UserData []byte
}

// Header is block 0 of a bee.
type Header struct {
	// Protocol is "hyperbee".
	Protocol string
	// Metadata is nil when the header has none.
	Metadata *Metadata
}

func (h *Header) encode() []byte {
	b := appendBytes(nil, 1, []byte(h.Protocol))
	if h.Metadata == nil {
		return b
	}
	var m []byte
	if h.Metadata.ContentFeed != nil {
		m = appendBytes(m, 1, h.Metadata.ContentFeed)
	}
	if h.Metadata.UserData != nil {
		m = appendBytes(m, 2, h.Metadata.UserData)
	}
	return appendBytes(b, 2, m)
}

func decodeHeader(b []byte) (*Header, error) {
	h, found := &Header{}, false
	for len(b) > 0 {
		f, rest, err := nextField(b)
		if err != nil {
			return nil, corrupt(0, "%v", err)
		}
		switch b = rest; {
		case f.is(1, kindBytes):
			h.Protocol, found = string(f.data), true
		case f.is(2, kindBytes):
			if h.Metadata, err = decodeMetadata(f.data); err != nil {
				return nil, err
			}
		}
	}
	if !found {
		return nil, corrupt(0, "no header")
	}
	return h, nil
}

func decodeMetadata(b []byte) (*Metadata, error) {
	m := &Metadata{}
	for len(b) > 0 {
		f, rest, err := nextField(b)
		if err != nil {
			return nil, corrupt(0, "metadata: %v", err)
		}
		switch b = rest; {
		case f.is(1, kindBytes):
			m.ContentFeed = f.data
		case f.is(2, kindBytes):
			m.UserData = f.data
		}
	}
	return m, nil
}

// Header returns the header, fetching it if it is missing. It fails with ErrNotFound while the core is empty, with
// ErrCorrupt when block 0 is none.
func (b *Bee) Header(ctx context.Context) (*Header, error) {
	if err := b.s.reach(ctx, 1); err != nil {
		return nil, err
	}
	return readHeader(ctx, b.s.core)
}

func readHeader(ctx context.Context, c *core.Core) (*Header, error) {
	raw, err := c.Get(ctx, 0)
	if errors.Is(err, core.ErrOutOfRange) {
		return nil, fmt.Errorf("%w: the core is empty", ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("bee: reading the header: %w", err)
	}
	return decodeHeader(raw)
}

// known fails when block 0 is here and no header of a bee, as it seems to be with a wrong encryption key. Once there are entries
// a change reads some of them; before, nothing else would keep it from being written under that key.
func (s *shared) known(ctx context.Context) error {
	here, err := s.core.Has(ctx, 0, 1)
	if err != nil || !here {
		return err
	}
	h, err := readHeader(ctx, s.core)
	if err == nil && h.Protocol != protocol {
		err = corrupt(0, "a header of %q", h.Protocol)
	}
	return err
}

// IsBee tells whether block 0 of a core is the header of a bee. An empty core is none. The block is fetched if it is
// missing.
func IsBee(ctx context.Context, c *core.Core) (bool, error) {
	h, err := readHeader(ctx, c)
	switch {
	case err == nil:
		return h.Protocol == protocol, nil
	case errors.Is(err, ErrCorrupt), errors.Is(err, ErrNotFound):
		return false, nil
	}
	return false, err
}
