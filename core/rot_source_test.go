package core_test

import (
	"context"
	"fmt"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
)

// rotHas tells whether the source of a core has a block.
func rotHas(ctx context.Context, c *crashCore, i uint64) bool {
	ok, err := rotOrigin(c).Has(ctx, i, i+1)
	return ok && err == nil && c.on[shadow].Conflict() == nil
}

func rotOrigin(c *crashCore) *core.Core {
	if c.remote {
		return c.origin
	}
	return c.on[shadow]
}

// rotSource fetches blocks from those who have them.
type rotSource struct{ core *crashCore }

func (s rotSource) Attach(c *core.Core) core.Session { return rotSession{s.core, c} }

type rotSession struct {
	core *crashCore
	live *core.Core
}

func (s rotSession) Fetch(ctx context.Context, want core.Want) error {
	for _, i := range want.Blocks {
		nodes, err := s.live.MissingNodes(ctx, i)
		if err != nil {
			return fmt.Errorf("%w: %w", core.ErrNotAvailable, err)
		}
		p, err := rotOrigin(s.core).Prove(ctx, &merkle.Request{
			ID: 1, Fork: s.live.Head().Fork, Block: &merkle.BlockRequest{Index: i, Nodes: nodes},
		})
		if err != nil {
			return fmt.Errorf("%w: %w", core.ErrNotAvailable, err)
		}
		verdicts, err := s.live.Apply(ctx, p)
		if err == nil {
			err = verdicts[0].Err
		}
		if err != nil {
			return fmt.Errorf("%w: %w", core.ErrNotAvailable, err)
		}
	}
	if len(want.Blocks) == 0 {
		return core.ErrNotAvailable
	}
	return nil
}

func (s rotSession) Changed(core.Change) {}
func (s rotSession) Close() error        { return nil }
