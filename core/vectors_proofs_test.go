package core

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/vectors"
)

// proofVectors is proofs.json.
type proofVectors struct {
	Cores       map[string]*jsonCore
	Cases       []jsonCase
	Reorgs      []jsonReorg
	Conflicts   []jsonConflict
	FullyRemote []jsonRemote
}

type jsonCore struct {
	Key, DiscoveryKey, Manifest vectors.Hex
	Compat                      bool
	Blocks                      []vectors.Hex
}

type jsonCase struct {
	ID, Core string
	Steps    []jsonStep
}

type jsonStep struct {
	SourceLength uint64
	RequestHex   vectors.Hex
	ProverError  string
	DataHex      vectors.Hex
	Result       string
	After        *jsonState
	Tampered     []jsonTampered
}

type jsonTampered struct {
	Desc              string
	Offset, Remove    int
	Insert            vectors.Hex
	Result, Error     string
	SameStateAsHonest bool
	After             *jsonState
}

type jsonState struct {
	Length, Fork, ByteLength uint64
	TreeHash                 string
	Nodes                    []uint64
	NodesDigest              string
	Blocks                   []uint64
	Manifest                 bool
}

func (s jsonState) String() string {
	return fmt.Sprintf("length %d fork %d bytes %d hash %.8s nodes %v %.8s blocks %v manifest %v",
		s.Length, s.Fork, s.ByteLength, s.TreeHash, s.Nodes, s.NodesDigest, s.Blocks, s.Manifest)
}

func loadProofs(t *testing.T) *proofVectors {
	var v proofVectors
	vectors.Load(t, "proofs.json", &v)
	return &v
}

// stateOf describes a core as the golden data does.
func stateOf(t testing.TB, c *Core) jsonState {
	t.Helper()
	h := c.Head()
	s := jsonState{Length: h.Length, Fork: h.Fork, ByteLength: h.ByteLength, TreeHash: c.TreeHash().String(),
		Blocks: heldBlocks(t, c), Manifest: c.Manifest() != nil}
	var all []byte
	for _, n := range storedNodes(t, c) {
		s.Nodes = append(s.Nodes, n.Index)
		all = merkle.AppendNode(all, &n)
	}
	s.NodesDigest = merkle.Hash(keys.Hash(all)).String()
	return s
}

func compareState(t *testing.T, c *Core, want *jsonState) {
	t.Helper()
	if want == nil {
		t.Fatal("golden data: a state is missing")
	}
	if got := stateOf(t, c).String(); got != want.String() {
		t.Errorf("state\n%s, want\n%s", got, want)
	}
}

// goldenReader is a core in a store of its own that knows its key alone.
func goldenReader(t *testing.T, c *jsonCore) *Core {
	t.Helper()
	r := openCore(t, datastore.NewMemory(datastore.Options{}), Options{Key: keys.Key(c.Key.Array32(t))})
	if d := r.DiscoveryKey(); !bytes.Equal(d[:], c.DiscoveryKey) {
		t.Fatalf("discovery key %x, want %v", d, c.DiscoveryKey)
	}
	return r
}

// replay makes a reader that has applied messages.
func replay(t *testing.T, c *jsonCore, messages []vectors.Hex) *Core {
	t.Helper()
	r := goldenReader(t, c)
	for i, data := range messages {
		if verdict, err := give(t, r, data); verdict != "accept" {
			t.Fatalf("message %d: %s, %v", i, verdict, err)
		}
	}
	return r
}

// give is the way of a message to a reader: accept, reject or ignored.
func give(t *testing.T, r *Core, data []byte) (verdict string, err error) {
	t.Helper()
	p, err := merkle.DecodeProof(data)
	if err != nil {
		return "reject", err
	}
	list, err := r.Apply(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	switch v := list[0]; {
	case v.Err != nil:
		if !errors.Is(v.Err, ErrInvalidProof) && !errors.Is(v.Err, ErrConflict) {
			t.Errorf("refused with %v", v.Err)
		}
		return "reject", v.Err
	case v.Applied:
		return "accept", nil
	}
	return "ignored", nil
}

// goldenSource is a core that holds blocks and whose head has a golden signature: there is no secret key to make one.
func goldenSource(t *testing.T, of *jsonCore, fork uint64, blocks [][]byte, signature []byte) *Core {
	t.Helper()
	m, err := manifest.Decode(of.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	c := openCore(t, datastore.NewMemory(datastore.Options{}), Options{Key: keys.Key(of.Key.Array32(t)), Manifest: m})
	plant(t, c, fork, blocks, signature)
	return c
}

// plant stores blocks in an empty core under a signature that is not looked at.
func plant(t *testing.T, c *Core, fork uint64, blocks [][]byte, signature []byte) {
	t.Helper()
	l := c.log
	l.write.Lock()
	defer l.write.Unlock()
	from := l.current.Load()
	tree := from.tree()
	tree.Fork = fork
	a := &appending{log: l, from: from, data: blocks, batch: merkle.NewBatch(tree)}
	a.batch.AppendBlocks(blocks)
	a.next = from.withTree(&a.batch.Tree, signature)
	var err error
	if a.held, err = l.changeHeld(t.Context(), from, a.next, []Range{{0, a.next.length}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.commit(); err != nil {
		t.Fatal(err)
	}
}

func TestVectorsProofs(t *testing.T) {
	v := loadProofs(t)
	notEmpty(t, "cases", v.Cases)
	for _, c := range v.Cases {
		t.Run(c.ID, func(t *testing.T) {
			notEmpty(t, "steps", c.Steps)
			of, r := v.Cores[c.Core], goldenReader(t, v.Cores[c.Core])
			var accepted []vectors.Hex
			for i := range c.Steps {
				s := &c.Steps[i]
				proveStep(t, of, s)
				if s.ProverError != "" {
					continue
				}
				tamper(t, of, accepted, r, s)
				if verifyStep(t, r, s); s.Result == "accept" {
					accepted = append(accepted, s.DataHex)
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// proveStep makes, as the prover, the bytes of the answer.
func proveStep(t *testing.T, of *jsonCore, s *jsonStep) {
	t.Helper()
	q, err := merkle.DecodeRequest(s.RequestHex)
	if err != nil {
		t.Fatal(err)
	}
	var want *merkle.Proof
	var signature []byte
	if s.ProverError == "" {
		if want, err = merkle.DecodeProof(s.DataHex); err != nil {
			t.Fatal(err)
		}
		if want.Upgrade != nil {
			signature = want.Upgrade.Signature
		}
	}
	source := goldenSource(t, of, q.Fork, bytesOf(of.Blocks)[:s.SourceLength], signature)
	got, err := source.Prove(t.Context(), q)
	if s.ProverError != "" {
		if !errors.Is(err, merkle.ErrInvalidRequest) {
			t.Fatalf("prove %+v: %v, want %s", q, err, s.ProverError)
		}
		return
	}
	if err != nil {
		t.Fatalf("prove %+v: %v", q, err)
	}
	if got.Seek != nil && want.Seek == nil {
		withoutSeek(t, source, q, got)
	}
	if data := merkle.AppendProof(nil, got); !bytes.Equal(data, s.DataHex) {
		t.Fatalf("answer to %v\n%x, want\n%v", s.RequestHex, data, s.DataHex)
	}
}

// withoutSeek makes the answer as the golden prover does, which leaves a seek out when the block or node is beyond the
// first root; ours is right to have one.
func withoutSeek(t *testing.T, source *Core, q *merkle.Request, p *merkle.Proof) {
	t.Helper()
	plain := *q
	plain.Seek = nil
	without, err := source.Prove(t.Context(), &plain)
	if err != nil || p.Upgrade != nil || len(merkle.FullRoots(nil, source.Head().Length)) < 2 {
		t.Fatalf("seek in %+v is not in the golden answer: %v", q, err)
	}
	p.Seek = nil
	if p.Block != nil {
		p.Block.Nodes = without.Block.Nodes
	} else {
		p.Hash.Nodes = without.Hash.Nodes
	}
}

func verifyStep(t *testing.T, r *Core, s *jsonStep) {
	t.Helper()
	before := stateOf(t, r).String()
	verdict, err := give(t, r, s.DataHex)
	if verdict != s.Result {
		t.Fatalf("answer to %v: %s (%v), want %s", s.RequestHex, verdict, err, s.Result)
	}
	if verdict == "accept" {
		compareState(t, r, s.After)
	} else if after := stateOf(t, r).String(); after != before {
		t.Fatalf("%s, yet state\n%s became\n%s", verdict, before, after)
	}
}

// tamper gives every tampered answer to a reader that is where r is.
func tamper(t *testing.T, of *jsonCore, accepted []vectors.Hex, r *Core, s *jsonStep) {
	t.Helper()
	before := stateOf(t, r).String()
	x := replay(t, of, accepted)
	for i := range s.Tampered {
		c := &s.Tampered[i]
		data := slices.Replace(slices.Clone([]byte(s.DataHex)), c.Offset, c.Offset+c.Remove, c.Insert...)
		length := x.Head().Length
		verdict, err := give(t, x, data)
		name := fmt.Sprintf("%v with %s at %d", s.RequestHex, c.Desc, c.Offset)
		after := stateOf(t, x).String()
		switch {
		case verdict != "accept" && after != before:
			t.Errorf("%s: %s, yet state\n%s became\n%s", name, verdict, before, after)
		case c.Result == "accept" && verdict != "accept":
			if !mayRefuse(c, data, length, err) {
				t.Errorf("%s: %s: %v", name, verdict, err)
			}
		case c.Result == "ignored" && verdict == "reject" && laterFork(data, x):
		case verdict != c.Result:
			t.Errorf("%s: %s (%v), want %s (%s)", name, verdict, err, c.Result, c.Error)
		case verdict == "accept" && c.SameStateAsHonest:
			if s.After == nil || after != s.After.String() {
				t.Errorf("%s: state\n%s, want\n%s", name, after, s.After)
			}
		case verdict == "accept":
			compareState(t, x, c.After)
		}
		if after != before {
			x = replay(t, of, accepted)
		}
	}
}

// laterFork tells whether a message is about a later fork: a core looks at it, where the golden reader leaves that to
// another door.
func laterFork(data []byte, c *Core) bool {
	p, err := merkle.DecodeProof(data)
	return err == nil && p.Fork > c.Head().Fork
}

// mayRefuse reports whether a reader of that length may be stricter than the golden one: about surplus nodes, trailing
// bytes of a signature, upgrades that do not start where the tree ends or lead nowhere, and about sizes that differ from
// stored ones.
func mayRefuse(c *jsonTampered, data []byte, length uint64, err error) bool {
	for _, leniency := range []string{"surplus", "duplicated", "trailing"} {
		if strings.Contains(c.Desc, leniency) {
			return true
		}
	}
	p, decodeErr := merkle.DecodeProof(data)
	if decodeErr == nil && p.Upgrade != nil && (p.Upgrade.Start != length || p.Upgrade.Length == 0) {
		return true
	}
	return c.After != nil && errors.Is(err, merkle.ErrInvalidChecksum)
}
