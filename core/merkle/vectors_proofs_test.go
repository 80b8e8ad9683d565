package merkle_test

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
	"github.com/hypernode/hypernode/internal/vectors"
)

// proofVectors is proofs.json.
type proofVectors struct {
	Cores           map[string]*jsonCore
	Cases           []jsonCase
	Reorgs          []jsonReorg
	Conflicts       []jsonConflict
	FullyRemote     []jsonRemote
	MaxMissingNodes []jsonMissing
	MissingNodes    []jsonMissing
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
	Request      *merkle.Request
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

type jsonMissing struct{ Index, Length, Out uint64 }

func loadProofs(t *testing.T) *proofVectors {
	var v proofVectors
	vectors.Load(t, "proofs.json", &v)
	return &v
}

// coreReader is a reader that starts with a core's key alone.
type coreReader struct {
	*memory
	key      keys.Key
	manifest []byte
	tree     merkle.Tree
	blocks   map[uint64]bool
}

func newCoreReader(t *testing.T, c *jsonCore) *coreReader {
	return &coreReader{memory: newMemory(), key: keys.Key(c.Key.Array32(t)), blocks: map[uint64]bool{}}
}

func (r *coreReader) clone() *coreReader {
	c := *r
	c.memory, c.tree, c.blocks = r.memory.clone(), r.tree.Clone(), map[uint64]bool{}
	for i := range r.blocks {
		c.blocks[i] = true
	}
	return &c
}

// authority returns who may sign, by the manifest that is known or else by the one given.
func (r *coreReader) authority(given []byte) (auth *manifest.Authority, encoded []byte, err error) {
	if encoded = r.manifest; encoded == nil {
		encoded = given
	}
	var m *manifest.Manifest
	if given != nil {
		if _, err := manifest.Decode(given); err != nil {
			return nil, nil, err
		}
	}
	if encoded != nil {
		if m, err = manifest.Decode(encoded); err != nil {
			return nil, nil, err
		}
	}
	auth, err = manifest.NewAuthority(r.key, m, manifest.Options{})
	return auth, encoded, err
}

// apply is a reader's door for a message: accept, reject or ignored.
func (r *coreReader) apply(data []byte) (verdict string, err error) {
	p, err := merkle.DecodeProof(data)
	if err != nil {
		return "reject", err
	}
	auth, encoded, err := r.authority(p.Manifest)
	if err != nil {
		return "reject", err
	}
	v, err := merkle.Check(r, &r.tree, auth, p)
	if err != nil {
		return "reject", err
	}
	if v.Ignored {
		return "ignored", nil
	}
	r.put(v.Nodes)
	r.tree = v.Tree
	if v.Block != nil {
		r.blocks[v.Block.Index] = true
	}
	if encoded != nil || v.Upgraded {
		r.manifest = auth.Manifest().Encode()
	}
	return "accept", nil
}

// state describes a reader as the golden data does.
func (r *coreReader) state() jsonState {
	s := jsonState{Length: r.tree.Length, Fork: r.tree.Fork, ByteLength: r.tree.ByteLength, TreeHash: r.tree.Hash().String(),
		Nodes: r.indexes(), Manifest: r.manifest != nil}
	var all []byte
	for _, index := range s.Nodes {
		n := r.nodes[index]
		all = merkle.AppendNode(all, &n)
	}
	s.NodesDigest = merkle.Hash(keys.Hash(all)).String()
	for i := range r.blocks {
		s.Blocks = append(s.Blocks, i)
	}
	slices.Sort(s.Blocks)
	return s
}

func (s jsonState) String() string {
	return fmt.Sprintf("length %d fork %d bytes %d hash %.8s nodes %v %.8s blocks %v manifest %v",
		s.Length, s.Fork, s.ByteLength, s.TreeHash, s.Nodes, s.NodesDigest, s.Blocks, s.Manifest)
}

func (r *coreReader) compare(t *testing.T, want *jsonState) {
	t.Helper()
	if want == nil {
		t.Fatal("golden data: a state is missing")
	}
	if got := r.state().String(); got != want.String() {
		t.Errorf("state\n%s, want\n%s", got, want)
	}
}

func TestVectorsProofs(t *testing.T) {
	v := loadProofs(t)
	notEmpty(t, "cases", v.Cases)
	for _, c := range v.Cases {
		t.Run(c.ID, func(t *testing.T) {
			notEmpty(t, "steps", c.Steps)
			core := v.Cores[c.Core]
			r := newCoreReader(t, core)
			for i := range c.Steps {
				s := &c.Steps[i]
				if t.Failed() {
					return
				}
				proveStep(t, core, s)
				if s.ProverError != "" {
					continue
				}
				before := r.clone()
				verifyStep(t, r, s)
				for j := range s.Tampered {
					verifyTampered(t, before.clone(), r, s, &s.Tampered[j])
				}
			}
		})
	}
}

// proveStep makes the bytes of the request and, as the prover, those of the answer.
func proveStep(t *testing.T, core *jsonCore, s *jsonStep) {
	t.Helper()
	if got := merkle.AppendRequest(nil, s.Request); !bytes.Equal(got, s.RequestHex) {
		t.Fatalf("request %x, want %v", got, s.RequestHex)
	}
	q, err := merkle.DecodeRequest(s.RequestHex)
	if err != nil || !bytes.Equal(merkle.AppendRequest(nil, q), s.RequestHex) {
		t.Fatalf("request %v: %v", s.RequestHex, err)
	}
	l := newLog(nil, q.Fork, bytesOf(core.Blocks)[:s.SourceLength])
	m, err := manifest.Decode(core.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	got, err := merkle.Prove(l, &l.tree, m.Prologue, q)
	if s.ProverError != "" {
		if !errors.Is(err, merkle.ErrInvalidRequest) {
			t.Fatalf("prove %+v: %v, want %s", q, err, s.ProverError)
		}
		return
	}
	if err != nil {
		t.Fatalf("prove %+v: %v", q, err)
	}
	want, err := merkle.DecodeProof(s.DataHex)
	if err != nil || !bytes.Equal(merkle.AppendProof(nil, want), s.DataHex) {
		t.Fatalf("answer %v: %v", s.DataHex, err)
	}
	if got.Block != nil {
		got.Block.Value = core.Blocks[got.Block.Index]
	}
	if got.Upgrade != nil && want.Upgrade != nil {
		got.Upgrade.Signature = want.Upgrade.Signature
	}
	got.Manifest = want.Manifest
	if got.Seek != nil && want.Seek == nil {
		withoutSeek(t, l, q, got)
	}
	if data := merkle.AppendProof(nil, got); !bytes.Equal(data, s.DataHex) {
		t.Fatalf("answer to %v\n%x, want\n%v", s.RequestHex, data, s.DataHex)
	}
}

// withoutSeek makes the answer as the golden prover does, which leaves a seek out when the block or node is beyond the
// first root; ours is right to have one.
func withoutSeek(t *testing.T, l *log, q *merkle.Request, p *merkle.Proof) {
	t.Helper()
	plain := *q
	plain.Seek = nil
	without, err := merkle.Prove(l, &l.tree, nil, &plain)
	if err != nil || p.Upgrade != nil || len(l.tree.Roots) < 2 {
		t.Fatalf("seek in %+v is not in the golden answer: %v", q, err)
	}
	p.Seek = nil
	if p.Block != nil {
		p.Block.Nodes = without.Block.Nodes
	} else {
		p.Hash.Nodes = without.Hash.Nodes
	}
}

func verifyStep(t *testing.T, r *coreReader, s *jsonStep) {
	t.Helper()
	before := r.state().String()
	verdict, err := r.apply(s.DataHex)
	if verdict != s.Result {
		t.Fatalf("answer to %v: %s (%v), want %s", s.RequestHex, verdict, err, s.Result)
	}
	if verdict == "accept" {
		r.compare(t, s.After)
	} else if after := r.state().String(); after != before {
		t.Fatalf("%s, yet state\n%s became\n%s", verdict, before, after)
	}
}

// refusals are the finer reasons by their golden names.
var refusals = map[string]error{
	"INVALID_OPERATION": merkle.ErrInvalidOperation,
	"INVALID_CHECKSUM":  merkle.ErrInvalidChecksum,
	"INVALID_SIGNATURE": merkle.ErrInvalidSignature,
}

func verifyTampered(t *testing.T, r, honest *coreReader, s *jsonStep, c *jsonTampered) {
	t.Helper()
	data := slices.Replace(slices.Clone([]byte(s.DataHex)), c.Offset, c.Offset+c.Remove, c.Insert...)
	before := r.state().String()
	verdict, err := r.apply(data)
	after := r.state().String()
	name := fmt.Sprintf("%v with %s at %d", s.RequestHex, c.Desc, c.Offset)
	switch {
	case verdict != "accept" && after != before:
		t.Errorf("%s: %s, yet state\n%s became\n%s", name, verdict, before, after)
	case c.Result == "accept" && verdict == "reject":
		if !mayRefuse(c, data, r.tree.Length, err) {
			t.Errorf("%s: refused: %v", name, err)
		}
	case verdict != c.Result:
		t.Errorf("%s: %s (%v), want %s (%s)", name, verdict, err, c.Result, c.Error)
	case verdict == "accept" && c.SameStateAsHonest:
		if want := honest.state().String(); after != want {
			t.Errorf("%s: state\n%s, want\n%s", name, after, want)
		}
	case verdict == "accept":
		r.compare(t, c.After)
	case verdict == "reject" && !errors.Is(err, refusals[c.Error]) && refusals[c.Error] != nil:
		t.Logf("%s: refused by %v, golden %s", name, err, c.Error)
	}
}

// mayRefuse reports whether a verifier at that length may be stricter than the golden one: about surplus nodes, trailing
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

func TestVectorsMissingNodes(t *testing.T) {
	v := loadProofs(t)
	notEmpty(t, "maxMissingNodes", v.MaxMissingNodes)
	for _, c := range v.MaxMissingNodes {
		if got := merkle.MaxMissingNodes(c.Index, c.Length); got != c.Out {
			t.Errorf("at most missing for %d of %d: %d, want %d", c.Index, c.Length, got, c.Out)
		}
		roots := newMemory()
		for _, index := range merkle.FullRoots(nil, c.Length) {
			roots.put([]merkle.Node{{Index: index, Hash: merkle.Hash{1}}})
		}
		if got, err := merkle.MissingNodes(roots, c.Index, c.Length); err != nil || got != c.Out {
			t.Errorf("missing for %d of %d: %d, %v, want %d", c.Index, c.Length, got, err, c.Out)
		}
	}
}
