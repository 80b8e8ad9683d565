package manifest

import (
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
)

// Version0 is the [Config] version for a manifest of version 0.
const Version0 = -1

// Config is what [New] makes a manifest from. The zero value of each field but Signers is the usual choice.
type Config struct {
	// Version is 1, 2 or Version0; 0 takes 2 when there are linked cores or user data, else 1.
	Version int
	// Quorum is how many signers must sign, at most all; 0 takes more than half of them.
	Quorum int
	// AllowPatch lets the signers sign trees of different lengths. Not with version 0 and one signer.
	AllowPatch bool
	// Signers may be empty for a core that is nothing but its prologue. A namespace of zeros takes the default one.
	Signers []Signer
	// Prologue is the tree that the core starts with, nil for none. Not with version 0, which does not keep it.
	Prologue *merkle.Prologue
	// Linked are cores that belong to this one. Not before version 2.
	Linked []keys.Key
	// UserData is anything; empty and not nil counts as present. Not before version 2.
	UserData []byte
}

// New returns the manifest for c, sharing nothing with it; the error wraps [ErrInvalid]. JavaScript makes a manifest
// with the same key from the same input. A namespace of zeros, and a quorum of 0 beside signers, with which nobody could
// ever sign, cannot be asked for.
func New(c Config) (*Manifest, error) {
	version, err := c.version()
	if err != nil {
		return nil, err
	}
	m := (&Manifest{
		Version: version, AllowPatch: c.AllowPatch, Quorum: c.Quorum, Signers: c.Signers,
		Prologue: c.Prologue, Linked: c.Linked, UserData: c.UserData,
	}).clone()
	if len(m.Linked) == 0 {
		m.Linked = nil
	}
	if m.Quorum == 0 && len(m.Signers) > 0 {
		m.Quorum = len(m.Signers)/2 + 1
	}
	for i := range m.Signers {
		if m.Signers[i].Namespace == [32]byte{} {
			m.Signers[i].Namespace = keys.DefaultNamespace()
		}
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

func (c *Config) version() (uint8, error) {
	switch {
	case c.Version == Version0:
		return 0, nil
	case c.Version == 0 && (len(c.Linked) > 0 || c.UserData != nil):
		return 2, nil
	case c.Version == 0:
		return 1, nil
	case c.Version == 1 || c.Version == 2:
		return uint8(c.Version), nil
	}
	return 0, fmt.Errorf("%w %d", ErrVersion, c.Version)
}

// check refuses a manifest that we do not want to make, although some of them can be read.
func (m *Manifest) check() error {
	switch {
	case m.Quorum < 0:
		return &invalid{"the quorum cannot be negative"}
	case m.Quorum > len(m.Signers):
		return &invalid{"the quorum cannot be higher than the number of signers"}
	case len(m.Signers) > compact.MaxArray || len(m.Linked) > compact.MaxArray:
		return &invalid{"too many signers or linked cores"}
	case m.Version < 2 && (m.Linked != nil || m.UserData != nil):
		return &invalid{"linked cores and user data need version 2"}
	case m.Version == 0 && m.Prologue != nil:
		return &invalid{"a prologue needs version 1"}
	case m.Version == 0 && m.AllowPatch && len(m.Signers) == 1:
		return ErrPatchVersion
	case m.Prologue != nil && m.Prologue.Length > compact.MaxSafe:
		return &invalid{"the prologue is longer than 2^53-1"}
	case slices.Contains(m.Linked, keys.Key{}):
		return &invalid{"a linked core has no key"}
	}
	return m.checkSigners()
}
