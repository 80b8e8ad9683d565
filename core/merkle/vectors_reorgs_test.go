package merkle_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
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
	Steps                  []jsonReorgStep
}

type jsonReorgStep struct {
	RequestHex, DataHex vectors.Hex
	Finished            bool
	Ancestors           uint64
	Diff                *uint64
	Want                *struct{ Nodes, Start, End uint64 }
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
	Core     string
	Setup    vectors.Hex
	ProofHex vectors.Hex
	Result   *struct {
		Key, DiscoveryKey vectors.Hex
		Newer             bool
		Length            uint64
		Block             *struct {
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

// setUp applies the messages that bring a reader into its first state.
func setUp(t *testing.T, core *jsonCore, messages []vectors.Hex) (r *coreReader, signature []byte) {
	t.Helper()
	r = newCoreReader(t, core)
	for i, data := range messages {
		if verdict, err := r.apply(data); verdict != "accept" {
			t.Fatalf("setup %d: %s, %v", i, verdict, err)
		}
		if p, err := merkle.DecodeProof(data); err == nil && p.Upgrade != nil {
			signature = p.Upgrade.Signature
		}
	}
	return r, signature
}

func TestVectorsReorgs(t *testing.T) {
	v := loadProofs(t)
	notEmpty(t, "reorgs", v.Reorgs)
	for _, c := range v.Reorgs {
		t.Run(c.Core, func(t *testing.T) {
			notEmpty(t, "steps", c.Steps)
			core := v.Cores[c.Core]
			r, _ := setUp(t, core, c.Setup)
			r.compare(t, c.Before)
			old := newLog(nil, 0, bytesOf(core.Blocks)[:c.OldLength])
			writer := forked(t, old, c.TruncatedTo, c.NewFork, bytesOf(c.NewBlocks))
			if writer.tree.Length != c.NewLength {
				t.Fatalf("new length %d, want %d", writer.tree.Length, c.NewLength)
			}
			g := reorgSteps(t, r, writer, c.Steps)
			if !c.Applied {
				return
			}
			result, ancestors := g.Result()
			if result == nil {
				t.Fatal("not done")
			}
			for i := range r.blocks {
				if i >= ancestors {
					delete(r.blocks, i)
				}
			}
			r.truncate(ancestors)
			r.put(result.Nodes)
			r.tree = result.Tree
			r.compare(t, c.After)
		})
	}
}

// forked returns a copy of a log that was cut and continued under another fork.
func forked(t testing.TB, l *log, length, fork uint64, more [][]byte) *log {
	t.Helper()
	tree, err := merkle.TreeAt(l, &l.tree, length)
	if err != nil {
		t.Fatal(err)
	}
	tree.Fork = fork
	c := &log{memory: l.memory.clone(), signer: l.signer, tree: tree, blocks: slices.Clone(l.blocks[:length])}
	c.truncate(length)
	c.append(more)
	return c
}

func reorgSteps(t *testing.T, r *coreReader, writer *log, steps []jsonReorgStep) (g *merkle.Reorg) {
	t.Helper()
	for i, s := range steps {
		q, err := merkle.DecodeRequest(s.RequestHex)
		if err != nil || !bytes.Equal(merkle.AppendRequest(nil, q), s.RequestHex) {
			t.Fatalf("step %d: request %v: %v", i, s.RequestHex, err)
		}
		p, err := merkle.DecodeProof(s.DataHex)
		if err != nil {
			t.Fatal(err)
		}
		answerEquals(t, writer, q, p, s.DataHex)
		if g == nil {
			auth, _, err := r.authority(p.Manifest)
			if err != nil {
				t.Fatal(err)
			}
			if g, err = merkle.NewReorg(r, &r.tree, auth, p); err != nil {
				t.Fatal(err)
			}
		} else if err := g.Feed(p); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if g.Done() != s.Finished || g.Ancestors() != s.Ancestors {
			t.Fatalf("step %d: done %v, ancestors %d, want %v, %d", i, g.Done(), g.Ancestors(), s.Finished, s.Ancestors)
		}
		if start, end, nodes := g.Want(); s.Want != nil && (start != s.Want.Start || end != s.Want.End || nodes != s.Want.Nodes) {
			t.Fatalf("step %d: want %d..%d by %d, golden %+v", i, start, end, nodes, *s.Want)
		}
	}
	return g
}

// answerEquals compares the answer of a log with the golden bytes; the signature is taken from these.
func answerEquals(t *testing.T, l *log, q *merkle.Request, want *merkle.Proof, data []byte) {
	t.Helper()
	got, err := l.prove(q)
	if err != nil {
		t.Fatalf("prove %+v: %v", q, err)
	}
	if got.Upgrade != nil && want.Upgrade != nil {
		got.Upgrade.Signature = want.Upgrade.Signature
	}
	got.Manifest = want.Manifest
	if b := merkle.AppendProof(nil, got); !bytes.Equal(b, data) {
		t.Fatalf("answer to %+v\n%x, want\n%x", q, b, data)
	}
}

func TestVectorsConflicts(t *testing.T) {
	v := loadProofs(t)
	notEmpty(t, "conflicts", v.Conflicts)
	for _, c := range v.Conflicts {
		t.Run(c.Core, func(t *testing.T) {
			notEmpty(t, "proofs", c.Proofs)
			core := v.Cores[c.Core]
			r, signature := setUp(t, core, c.Setup)
			for _, p := range c.Proofs {
				proof, err := merkle.DecodeProof(p.DataHex)
				if err != nil {
					t.Fatal(err)
				}
				auth, encoded, err := r.authority(nil)
				if err != nil {
					t.Fatal(err)
				}
				found, err := merkle.CheckConflict(r, &r.tree, signature, auth, proof)
				// The golden check returns true when there is nothing left to do: a conflict, or a proof to swallow.
				if (found != nil || err != nil) != p.CheckConflictReturns || (found != nil) != p.Frozen {
					t.Errorf("%s: conflict %v, error %v, want %v, %v", p.Name, found != nil, err, p.Frozen, p.CheckConflictReturns)
				}
				if found != nil {
					checkPortable(t, r.key, encoded, found)
				}
			}
		})
	}
}

// checkPortable turns a conflict into its portable form and back, and verifies it as a stranger would.
func checkPortable(t *testing.T, key keys.Key, encoded []byte, found *merkle.Conflict) {
	t.Helper()
	c := &merkle.ConflictProof{Key: key, Manifest: encoded, A: found.Own, B: found.Remote}
	b := merkle.AppendConflictProof(nil, c)
	back, err := merkle.DecodeConflictProof(b)
	if err != nil || !bytes.Equal(merkle.AppendConflictProof(nil, back), b) {
		t.Fatalf("conflict proof %x: %v", b, err)
	}
	open := func(key [32]byte, encoded []byte) (merkle.Authority, error) {
		auth, _, err := (&coreReader{key: key}).authority(encoded)
		return auth, err
	}
	if err := back.Verify(open); err != nil {
		t.Error(err)
	}
	same := &merkle.ConflictProof{Key: key, Manifest: encoded, A: found.Own, B: found.Own}
	if err := same.Verify(open); !errors.Is(err, merkle.ErrNoConflict) {
		t.Errorf("the same proof twice: %v", err)
	}
}

func TestVectorsFullyRemote(t *testing.T) {
	v := loadProofs(t)
	notEmpty(t, "fullyRemote", v.FullyRemote)
	for i, c := range v.FullyRemote {
		core := v.Cores[c.Core]
		r, _ := setUp(t, core, []vectors.Hex{c.Setup})
		check := func(message []byte) (*merkle.Verified, error) {
			if len(message) < 32 || !bytes.Equal(message[:32], core.DiscoveryKey) {
				return nil, errors.New("another core")
			}
			p, err := merkle.DecodeProof(message[32:])
			if err != nil {
				return nil, err
			}
			auth, _, err := r.authority(nil)
			if err != nil {
				return nil, err
			}
			return merkle.CheckRemote(auth, p)
		}
		got, err := check(c.ProofHex)
		if (err == nil) != (c.Result != nil) {
			t.Fatalf("proof %d: %v", i, err)
		}
		if c.Result != nil {
			if got.Tree.Length != c.Result.Length || (got.Tree.Length > r.tree.Length) != c.Result.Newer {
				t.Errorf("proof %d: length %d over %d, want %+v", i, got.Tree.Length, r.tree.Length, c.Result)
			}
			if want := c.Result.Block; (want != nil) != (got.Block != nil) || want != nil && (want.Index != got.Block.Index || !bytes.Equal(want.Value, got.Block.Value)) {
				t.Errorf("proof %d: block %+v, want %+v", i, got.Block, want)
			}
		}
		bad := slices.Replace(slices.Clone([]byte(c.ProofHex)), c.Tampered.Offset, c.Tampered.Offset+c.Tampered.Remove, c.Tampered.Insert...)
		if _, err := check(bad); (err == nil) != (c.Tampered.Result != nil) {
			t.Errorf("proof %d tampered: %v", i, err)
		}
	}
}
