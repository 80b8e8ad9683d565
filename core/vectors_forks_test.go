package core

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/vectors"
)

type jsonReorg struct {
	Core                   string
	Setup                  []vectors.Hex
	OldLength, TruncatedTo uint64
	NewBlocks              []vectors.Hex
	NewLength, NewFork     uint64
	Before, After          *jsonState
	Applied                bool
	Steps                  []struct {
		RequestHex, DataHex vectors.Hex
		Finished            bool
		Ancestors           uint64
		Want                *struct{ Nodes, Start, End uint64 }
	}
}

type jsonConflict struct {
	Core   string
	Setup  []vectors.Hex
	Length uint64
	Proofs []struct {
		Name                         string
		DataHex                      vectors.Hex
		CheckConflictReturns, Frozen bool
	}
}

type jsonRemote struct {
	Core            string
	Setup, ProofHex vectors.Hex
	Result          *struct {
		Newer  bool
		Length uint64
		Block  *struct {
			Index uint64
			Value vectors.Hex
		}
	}
	Tampered struct {
		Offset, Remove int
		Insert         vectors.Hex
		Result         *struct{}
	}
}

func TestVectorsReorgs(t *testing.T) {
	v := loadProofs(t)
	notEmpty(t, "reorgs", v.Reorgs)
	for i := range v.Reorgs {
		c := &v.Reorgs[i]
		t.Run(c.Core, func(t *testing.T) {
			notEmpty(t, "steps", c.Steps)
			of := v.Cores[c.Core]
			r := replay(t, of, c.Setup)
			compareState(t, r, c.Before)
			proveReorg(t, of, c)
			if applyReorg(t, r, c); c.Applied {
				compareState(t, r, c.After)
			}
			mustVerify(t, r)
		})
	}
}

// proveReorg makes the answers of the new fork's writer.
func proveReorg(t *testing.T, of *jsonCore, c *jsonReorg) {
	t.Helper()
	blocks := slices.Concat(bytesOf(of.Blocks)[:c.TruncatedTo], bytesOf(c.NewBlocks))
	if uint64(len(blocks)) != c.NewLength {
		t.Fatalf("golden data: %d blocks of %d", len(blocks), c.NewLength)
	}
	first, err := merkle.DecodeProof(c.Steps[0].DataHex)
	if err != nil || first.Upgrade == nil {
		t.Fatalf("golden data: first answer: %v", err)
	}
	source := goldenSource(t, of, c.NewFork, blocks, first.Upgrade.Signature)
	for i, s := range c.Steps {
		q, err := merkle.DecodeRequest(s.RequestHex)
		if err != nil {
			t.Fatal(err)
		}
		p, err := source.Prove(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if b := merkle.AppendProof(nil, p); !bytes.Equal(b, s.DataHex) {
			t.Fatalf("step %d: answer\n%x, want\n%v", i, b, s.DataHex)
		}
	}
}

// applyReorg gives the answers to a reader, and compares what it asks next.
func applyReorg(t *testing.T, r *Core, c *jsonReorg) {
	t.Helper()
	before := stateOf(t, r).String()
	for i, s := range c.Steps {
		p, err := merkle.DecodeProof(s.DataHex)
		if err != nil {
			t.Fatal(err)
		}
		v := apply(t, r, p)
		if v.Err != nil || !v.Applied || v.Upgraded != s.Finished || (v.Next == nil) != s.Finished {
			t.Fatalf("step %d: %+v, want finished %v", i, v, s.Finished)
		}
		if s.Finished {
			if got := r.Head(); got.Fork != c.NewFork || got.Length != c.NewLength {
				t.Fatalf("at %v", got)
			}
			continue
		}
		if after := stateOf(t, r).String(); after != before {
			t.Fatalf("step %d changed the state", i)
		}
		if q := v.Next; s.Want != nil && (q.Hash == nil || q.Fork != c.NewFork || q.Hash.Nodes != s.Want.Nodes ||
			q.Hash.Index < 2*s.Want.Start || q.Hash.Index >= 2*min(s.Want.End, c.NewLength)) {
			t.Fatalf("step %d: asks %+v, golden wants %+v", i, q.Hash, *s.Want)
		}
	}
}

func TestVectorsConflicts(t *testing.T) {
	v := loadProofs(t)
	notEmpty(t, "conflicts", v.Conflicts)
	for _, c := range v.Conflicts {
		t.Run(c.Core, func(t *testing.T) {
			notEmpty(t, "proofs", c.Proofs)
			of := v.Cores[c.Core]
			for _, p := range c.Proofs {
				checkFreeze(t, replay(t, of, c.Setup), p.DataHex, p.Frozen)
			}
		})
	}
}

// checkFreeze gives a reader a proof that freezes it or not, and looks at it then and after it was opened again.
func checkFreeze(t *testing.T, r *Core, data []byte, frozen bool) {
	t.Helper()
	before := stateOf(t, r).String()
	p, err := merkle.DecodeProof(data)
	if err != nil {
		t.Fatal(err)
	}
	v := apply(t, r, p)
	if got := errors.Is(v.Err, ErrConflict); got != frozen || (r.Conflict() != nil) != frozen {
		t.Fatalf("verdict %+v, want frozen %v", v, frozen)
	}
	if after := stateOf(t, r).String(); after != before {
		t.Fatalf("state\n%s became\n%s", before, after)
	}
	db := r.log.db
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = openCore(t, db, Options{Key: r.Key()})
	if !frozen {
		if r.Conflict() != nil {
			t.Fatal("frozen after it was opened again")
		}
		return
	}
	if _, err := r.Apply(t.Context(), p); !errors.Is(err, ErrConflict) {
		t.Fatalf("apply after it was opened again: %v", err)
	}
	if err := r.Conflict().Verify(OpenAuthority); err != nil {
		t.Fatal(err)
	}
}

// TestVectorsFullyRemote gives the proofs to a reader that does not have anything yet, and to one that has: of these the
// latter takes an upgrade only where its tree ends.
func TestVectorsFullyRemote(t *testing.T) {
	v := loadProofs(t)
	notEmpty(t, "fullyRemote", v.FullyRemote)
	for i, c := range v.FullyRemote {
		of := v.Cores[c.Core]
		data := []byte(c.ProofHex)[32:]
		if !bytes.Equal(c.ProofHex[:32], of.DiscoveryKey) {
			t.Fatal("golden data: proof of another core")
		}
		r := openCore(t, datastore.NewMemory(datastore.Options{}), Options{Key: goldenReader(t, of).Key()})
		bad := slices.Replace(slices.Clone([]byte(c.ProofHex)), c.Tampered.Offset, c.Tampered.Offset+c.Tampered.Remove, c.Tampered.Insert...)
		if verdict, err := give(t, r, bad[32:]); c.Tampered.Result == nil && verdict == "accept" {
			t.Errorf("proof %d tampered: %s, %v", i, verdict, err)
		}
		verdict, err := give(t, r, data)
		if (verdict == "accept") != (c.Result != nil) {
			t.Fatalf("proof %d: %s, %v", i, verdict, err)
		}
		if c.Result != nil && r.Head().Length != c.Result.Length {
			t.Errorf("proof %d: %v, want length %d", i, r.Head(), c.Result.Length)
		}
		if c.Result != nil && c.Result.Block != nil {
			mustGet(t, r, c.Result.Block.Index, c.Result.Block.Value)
		}
		old := replay(t, of, []vectors.Hex{c.Setup})
		if have := old.Head(); c.Result != nil && c.Result.Newer != (c.Result.Length > have.Length) {
			t.Errorf("proof %d: newer than %v: want %v", i, have, c.Result.Newer)
		}
		if give(t, old, data); old.Conflict() != nil {
			t.Errorf("proof %d is a conflict", i)
		}
	}
}
