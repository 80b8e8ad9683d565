package node

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// Records of the node in the store.
const (
	groupNode = 'n'
	kindSeed  = 's'
	kindPeers = 'p'
)

// SeedOptions say how a copy is kept.
type SeedOptions struct {
	// Priority is 0 for copies that may wait; higher ones are fetched first.
	Priority int `json:"priority,omitempty"`
	// Label is for people.
	Label string `json:"label,omitempty"`
	// MaxBytes bounds what is kept of it: as many of the first blocks as fit, of a drive its entries and then contents. 0 is no bound.
	// One block more may come along.
	MaxBytes int64 `json:"max_bytes,omitempty"`
}

// The reasons why a seed is not fetched whole, see Seed.Limited.
const (
	LimitedByQuota = "quota" // SeedOptions.MaxBytes
	LimitedByStore = "store" // config.Limits.Store
)

// Seed is a core, or a drive with its contents, that is kept complete, and served, whenever the node runs.
type Seed struct {
	Key   keys.Key  `json:"key"`
	Since time.Time `json:"since"`
	SeedOptions

	// What there is now; only while the node runs.
	Length     uint64 `json:"length"`     // blocks
	Contiguous uint64 `json:"contiguous"` // leading blocks that are held
	Bytes      uint64 `json:"bytes"`
	Content    *Part  `json:"content,omitempty"` // of a drive
	Peers      int    `json:"peers"`
	Limited    string `json:"limited,omitempty"` // why it is not fetched whole
	Failed     string `json:"failed,omitempty"`  // why it, or its contents, cannot be kept
}

// Part is how much of a core is held.
type Part struct {
	Length     uint64 `json:"length"`
	Contiguous uint64 `json:"contiguous"`
	Bytes      uint64 `json:"bytes"`
}

// seed is a Seed while the node runs.
type seed struct {
	Seed
	left bool // struck out; guarded by the node's mutex, as the options are
	turn turn

	// Of whose turn it is.
	pause       time.Duration // after failures
	contentsErr error         // why the contents cannot be kept; nil when they are, or there are none

	mu     sync.Mutex // guards what follows, which only whose turn it is changes
	parts  [2]*kept   // of entries and of contents; nil while they are not open
	plain  bool       // there are no contents
	failed string     // Seed.Failed
}

// fails notes why a seed cannot be kept, or with nil that it can.
func (s *seed) fails(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = ""
	if err != nil {
		s.failed = err.Error()
	}
}

func seedKey(k keys.Key) datastore.Key {
	return datastore.Group(groupNode).Kind(kindSeed).Item().Bytes(k[:])
}

// Seed keeps a copy of a core, or of a drive with its contents, from now on and over restarts. It returns once that is
// written down, not once the copy is complete. A core of the node's own is announced, whole as it is. Seeding again changes
// the options.
func (n *Node) Seed(ctx context.Context, key keys.Key, o SeedOptions) error {
	n.mu.Lock()
	s := &seed{Seed: Seed{Key: key, Since: time.Now().UTC(), SeedOptions: o}}
	if old := n.seeds[key]; old != nil {
		s.Since = old.Since
	}
	n.mu.Unlock()
	record, err := json.Marshal(struct {
		Since time.Time `json:"since"`
		SeedOptions
	}{s.Since, o})
	if err != nil {
		return err
	}
	err = n.db.Update(ctx, func(tx *datastore.Tx) error {
		tx.Set(seedKey(key), record)
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing the seed down: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if old := n.seeds[key]; old != nil {
		old.SeedOptions, s = o, old
	}
	n.seeds[key] = s
	n.seeder.touch(s)
	return nil
}

// Unseed ends the seeding of a key. What is held stays until it is deleted. It fails with ErrNotSeeded.
func (n *Node) Unseed(ctx context.Context, key keys.Key) error {
	n.mu.Lock()
	s := n.seeds[key]
	n.mu.Unlock()
	if s == nil {
		return ErrNotSeeded
	}
	err := n.db.Update(ctx, func(tx *datastore.Tx) error {
		tx.Delete(seedKey(key))
		return nil
	})
	if err != nil {
		return fmt.Errorf("striking the seed out: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seeds[key] == s {
		delete(n.seeds, key)
		s.left = true
		n.seeder.touch(s)
	}
	return nil
}

// Seeds lists the seeds, the oldest first.
func (n *Node) Seeds() []Seed {
	n.mu.Lock()
	all := make([]*seed, 0, len(n.seeds))
	for _, s := range n.seeds {
		all = append(all, s)
	}
	n.mu.Unlock()
	list := make([]Seed, 0, len(all))
	for _, s := range all {
		list = append(list, n.describe(s))
	}
	slices.SortFunc(list, func(a, b Seed) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.Key.String(), b.Key.String())
	})
	return list
}

// loadSeeds reads what was written down.
func (n *Node) loadSeeds(ctx context.Context, _ Options) error {
	err := n.db.View(ctx, func(tx *datastore.Tx) error {
		group := datastore.Group(groupNode).Kind(kindSeed).Item()
		for r, err := range tx.Scan(group, group.End(), false) {
			if err != nil {
				n.log.Warn("a seed is lost", "reason", err)
				continue
			}
			s := new(seed)
			key, ok := datastore.ParseBytes(r.Key[len(group):])
			if !ok || len(key) != len(s.Key) || json.Unmarshal(r.Value, &s.Seed) != nil {
				n.log.Warn("a seed cannot be read")
				continue
			}
			s.Key = keys.Key(key)
			n.seeds[s.Key] = s
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the seeds: %w", err)
	}
	return nil
}

// describe says how complete a seed is.
func (n *Node) describe(s *seed) Seed {
	n.mu.Lock()
	out := s.Seed
	n.mu.Unlock()
	s.mu.Lock()
	parts := s.parts
	out.Failed = s.failed
	s.mu.Unlock()
	for i, k := range parts {
		if k == nil {
			continue
		}
		if limited, _ := k.limited.Load().(string); limited != "" {
			out.Limited = limited
		}
		if proof := k.core.Conflict(); proof != nil {
			out.Failed = (&core.ConflictError{Proof: proof}).Error()
		}
		h := k.core.Head()
		p := Part{h.Length, k.core.Contiguous(), h.ByteLength}
		if i == contents {
			out.Content = &p
			continue
		}
		out.Length, out.Contiguous, out.Bytes = p.Length, p.Contiguous, p.Bytes
		if r := n.set.Core(k.d()); r != nil {
			out.Peers = r.Stats().Peers
		}
	}
	return out
}
