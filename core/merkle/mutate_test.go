package merkle_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
)

// seal is an authority whose signatures cost nothing, so that millions of mutations can be tried.
type seal struct{}

func (seal) sign(t *merkle.Tree) []byte {
	h := keys.Hash([]byte("seal"), signable(t))
	return h[:]
}

func (s seal) VerifyTree(t *merkle.Tree, signature []byte) error {
	if !bytes.Equal(s.sign(t), signature) {
		return errors.New("wrong seal")
	}
	return nil
}

func (seal) Prologue() (merkle.Prologue, bool) { return merkle.Prologue{}, false }

// attempt is one request, the reader that makes it and the honest answer.
type attempt struct {
	reader   *reader
	proof    *merkle.Proof
	verified *merkle.Verified // what the honest answer proves

	data   []byte
	states map[string]bool // what an answer may lead to
	honest string
}

// change describes what committing v would change in the reader.
func (a *attempt) change(v *merkle.Verified) string {
	r := a.reader
	nodes := slices.Clone(v.Nodes)
	slices.SortStableFunc(nodes, func(x, y merkle.Node) int { return cmp.Compare(x.Index, y.Index) })
	var b bytes.Buffer
	for i, n := range nodes {
		if i+1 < len(nodes) && nodes[i+1].Index == n.Index || r.nodes[n.Index] == n {
			continue
		}
		fmt.Fprintf(&b, "%d:%d:%x:%v ", n.Index, n.Size, n.Hash[:4], n.Unsure)
	}
	fmt.Fprintf(&b, "length %d fork %d bytes %d roots %v", v.Tree.Length, v.Tree.Fork, v.Tree.ByteLength, v.Tree.Hash())
	if v.Block != nil && !r.blocks[v.Block.Index] {
		fmt.Fprintf(&b, " block %d", v.Block.Index)
	}
	return b.String()
}

// newAttempt has the honest answer checked.
func newAttempt(t *testing.T, r *reader, p *merkle.Proof) *attempt {
	t.Helper()
	v, err := merkle.Check(r, &r.tree, r.auth, p)
	if err != nil {
		t.Fatalf("honest answer refused: %v\n%+v", err, p)
	}
	return &attempt{reader: r, proof: p, verified: v}
}

// expect prepares for mutations: it lists the states that the answer may lead to, with each choice of sections left out.
func (a *attempt) expect() {
	a.data = merkle.AppendProof(nil, a.proof)
	a.honest = a.change(a.verified)
	a.states = map[string]bool{a.honest: true, a.change(&merkle.Verified{Tree: a.reader.tree}): true}
	for drop := range 16 {
		q := *a.proof
		if drop&1 != 0 {
			q.Block = nil
		}
		if drop&2 != 0 {
			q.Hash = nil
		}
		if drop&4 != 0 {
			q.Seek = nil
		}
		if drop&8 != 0 {
			q.Upgrade = nil
		}
		if v, err := merkle.Check(a.reader, &a.reader.tree, a.reader.auth, &q); err == nil {
			a.states[a.change(v)] = true
		}
	}
}

// try checks a mutated answer. moved says that bytes were moved between sizes; then other sizes may come in, marked.
func (a *attempt) try(t *testing.T, data []byte, moved bool, what string, at ...any) {
	p, err := merkle.DecodeProof(data)
	if err == nil {
		err = a.tryProof(p, moved)
	} else if !errors.Is(err, merkle.ErrInvalidProof) {
		err = fmt.Errorf("decode: %w", err)
	} else {
		err = nil
	}
	if err != nil {
		t.Fatalf("%s: %v\nhonest: %+v", fmt.Sprintf(what, at...), err, a.proof)
	}
}

func (a *attempt) tryProof(p *merkle.Proof, moved bool) error {
	length, roots := a.reader.tree.Length, len(a.reader.tree.Roots)
	v, err := merkle.Check(a.reader, &a.reader.tree, a.reader.auth, p)
	if a.reader.tree.Length != length || len(a.reader.tree.Roots) != roots {
		return errors.New("the reader's tree was changed")
	}
	if err != nil {
		if !errors.Is(err, merkle.ErrInvalidProof) {
			return fmt.Errorf("not a refusal: %w", err)
		}
		return nil
	}
	got := a.change(v)
	if a.states[got] {
		return nil
	}
	if moved {
		return a.onlyClaims(v)
	}
	return fmt.Errorf("accepted, with\n%s; honest is\n%s", got, a.honest)
}

// onlyClaims returns an error unless all that v would make different from the honest state is the size of nodes that it
// marks.
func (a *attempt) onlyClaims(v *merkle.Verified) error {
	honest := a.verified
	for _, n := range v.Nodes {
		for _, h := range honest.Nodes {
			if h.Index == n.Index && (h.Hash != n.Hash || h.Size != n.Size && !n.Unsure) {
				return fmt.Errorf("node %d with %d bytes, unsure %v, honest %d", n.Index, n.Size, n.Unsure, h.Size)
			}
		}
		if s, ok := a.reader.nodes[n.Index]; ok && !s.Unsure && s.Size != n.Size {
			return fmt.Errorf("node %d is stored with %d bytes, not %d", n.Index, s.Size, n.Size)
		}
	}
	if len(v.Nodes) != len(honest.Nodes) || v.Tree.Hash() != honest.Tree.Hash() {
		return errors.New("more than sizes differ")
	}
	return nil
}

// lists returns the node lists of a proof.
func lists(p *merkle.Proof) (all []*[]merkle.Node) {
	if p.Block != nil {
		all = append(all, &p.Block.Nodes)
	}
	if p.Hash != nil {
		all = append(all, &p.Hash.Nodes)
	}
	if p.Seek != nil {
		all = append(all, &p.Seek.Nodes)
	}
	if p.Upgrade != nil {
		all = append(all, &p.Upgrade.Nodes, &p.Upgrade.Additional)
	}
	return all
}

// edited returns the answer with one of its lists changed.
func (a *attempt) edited(list int, edit func([]merkle.Node) []merkle.Node) []byte {
	p, err := merkle.DecodeProof(a.data)
	if err != nil {
		panic(err)
	}
	l := lists(p)[list]
	*l = edit(slices.Clone(*l))
	return merkle.AppendProof(nil, p)
}

// mutate tries every change to the lists, and each bit with the given chance.
func (a *attempt) mutate(t *testing.T, rng *rand.Rand, bits float64) (tried int) {
	a.expect()
	for i, list := range lists(a.proof) {
		tried += a.mutateList(t, rng, i, *list)
	}
	tried += a.moveBytes(t)
	data := slices.Clone(a.data)
	for bit := range 8 * len(data) {
		if rng.Float64() >= bits {
			continue
		}
		data[bit/8] ^= 1 << (bit % 8)
		a.try(t, data, false, "bit %d", bit)
		data[bit/8] ^= 1 << (bit % 8)
		tried++
	}
	return tried
}

func (a *attempt) mutateList(t *testing.T, rng *rand.Rand, i int, list []merkle.Node) (tried int) {
	stranger := merkle.Node{Index: rng.Uint64N(130), Size: rng.Uint64N(50), Hash: merkle.LeafHash([]byte{byte(i)})}
	for j := 0; j <= len(list); j++ {
		extra := stranger
		if j < len(list) && rng.IntN(2) == 0 {
			extra.Index = list[j].Index
		}
		a.try(t, a.edited(i, func(l []merkle.Node) []merkle.Node { return slices.Insert(l, j, extra) }), false, "list %d: added at %d", i, j)
		tried++
	}
	for j := range list {
		a.try(t, a.edited(i, func(l []merkle.Node) []merkle.Node { return slices.Delete(l, j, j+1) }), false, "list %d: dropped %d", i, j)
		for k := range list {
			a.try(t, a.edited(i, func(l []merkle.Node) []merkle.Node { return slices.Insert(l, k, l[j]) }), false, "list %d: duplicated %d at %d", i, j, k)
			a.try(t, a.edited(i, func(l []merkle.Node) []merkle.Node { l[j], l[k] = l[k], l[j]; return l }), false, "list %d: swapped %d and %d", i, j, k)
		}
		for k, other := range lists(a.proof) {
			if k != i && len(*other) > 0 {
				a.try(t, a.edited(i, func(l []merkle.Node) []merkle.Node { l[j] = (*other)[0]; return l }), false, "list %d: %d from list %d", i, j, k)
			}
		}
		tried += 2 + 2*len(list)
	}
	return tried
}

// moveBytes moves a byte of size between any two nodes that the answer gives.
func (a *attempt) moveBytes(t *testing.T) (tried int) {
	p, err := merkle.DecodeProof(a.data)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []*merkle.Node
	for _, list := range lists(p) {
		for j := range *list {
			nodes = append(nodes, &(*list)[j])
		}
	}
	for i, from := range nodes {
		for j, to := range nodes {
			if i == j || from.Size == 0 {
				continue
			}
			from.Size, to.Size = from.Size-1, to.Size+1
			a.try(t, merkle.AppendProof(nil, p), true, "byte moved from %d to %d", from.Index, to.Index)
			from.Size, to.Size = from.Size+1, to.Size-1
			tried++
		}
	}
	return tried
}

// sealed is a log whose signatures are seals.
type sealed struct{ *log }

func (s sealed) answer(t *testing.T, q *merkle.Request) *merkle.Proof {
	t.Helper()
	p := s.mustProve(t, q)
	if p.Upgrade != nil {
		p.Upgrade.Signature = seal{}.sign(&s.tree)
	}
	if !p.Answers(q) {
		t.Fatalf("%+v does not answer %+v", p, q)
	}
	return p
}

// at returns a reader that knows the roots of the first length blocks, and the paths of some blocks.
func (s sealed) at(t *testing.T, length uint64, some ...uint64) *reader {
	t.Helper()
	r := newReader(seal{})
	if length == 0 {
		return r
	}
	tree, err := merkle.TreeAt(s, &s.tree, length)
	if err != nil {
		t.Fatal(err)
	}
	r.tree = tree
	r.put(tree.Roots)
	for _, block := range some {
		missing, err := merkle.MissingNodes(r, 2*block, length)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.apply(s.answer(t, &merkle.Request{Block: &merkle.BlockRequest{Index: block, Nodes: missing}})); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// requests yields every kind of request for every index that a reader can make of the log.
func (s sealed) requests(t *testing.T, r *reader, yield func(*merkle.Request)) {
	have, length := r.tree.Length, s.tree.Length
	missing := func(index uint64) uint64 {
		n, err := merkle.MissingNodes(r, index, have)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var upgrades []*merkle.UpgradeRequest
	if have == length {
		upgrades = append(upgrades, nil)
	}
	for to := have + 1; to <= length; to++ {
		if to == length || to == (have+length)/2 || to == have+1 {
			upgrades = append(upgrades, &merkle.UpgradeRequest{Start: have, Length: to - have})
		}
	}
	for _, up := range upgrades {
		to := have
		if up != nil {
			to = up.Start + up.Length
			yield(&merkle.Request{Upgrade: up})
			for bytes := uint64(0); bytes <= s.tree.ByteLength+1; bytes += 1 + s.tree.ByteLength/40 {
				yield(&merkle.Request{Upgrade: up, Seek: &merkle.SeekRequest{Bytes: bytes}})
			}
		}
		for index := uint64(0); index < 2*to; index++ {
			if !merkle.Complete(index, to) || !merkle.Complete(index, have) && merkle.Contains(index, 2*have) && merkle.LeftSpan(index) < 2*have {
				continue
			}
			q := &merkle.Request{Upgrade: up, Hash: &merkle.HashRequest{Index: index, Nodes: missing(index)}}
			if merkle.Complete(index, have) && q.Hash.Nodes == 0 && merkle.MaxMissingNodes(index, have) > 0 {
				q.Hash.Nodes = 1
			}
			yield(q)
			if index%2 == 0 {
				yield(&merkle.Request{Upgrade: up, Block: &merkle.BlockRequest{Index: index / 2, Nodes: missing(index)}})
			}
			s.seeksBeside(t, q, have, yield)
		}
	}
}

// seeksBeside adds a seek to a request for a node that the reader's tree covers.
func (s sealed) seeksBeside(t *testing.T, q *merkle.Request, have uint64, yield func(*merkle.Request)) {
	if !merkle.Complete(q.Hash.Index, have) {
		return
	}
	top := q.Hash.Index
	for range q.Hash.Nodes {
		top = merkle.ParentIndex(top)
	}
	start, err := merkle.ByteOffset(s, &s.tree, merkle.LeftSpan(top)/2)
	if err != nil {
		t.Fatal(err)
	}
	size := s.nodes[top].Size
	for bytes := start; bytes < start+size; bytes += 1 + size/6 {
		with := *q
		with.Seek = &merkle.SeekRequest{Bytes: bytes}
		yield(&with)
		if q.Hash.Index%2 == 0 {
			with := with
			with.Hash, with.Block = nil, &merkle.BlockRequest{Index: q.Hash.Index / 2, Nodes: q.Hash.Nodes}
			yield(&with)
		}
	}
}

// Every honest answer is accepted; every single mutation of it is refused, or leads to the state before, to the honest
// state or to that without whole sections. The one exception is that of sizes moved between two given siblings, which
// must come out marked. Every length, index and kind of request; a sample of the mutations by default, all of them, each
// bit included, with HYPERNODE_LONG=1 (most of an hour on one core; a single length by -run TestMutations/17); with
// HYPERNODE_LONG=kinds all of them but for answers with a seek beside a block or node, of which a share is taken.
func TestMutations(t *testing.T) {
	seed := seeded(t).Uint64()
	for length := uint64(1); length <= 64; length += lengthStep {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			t.Parallel()
			mutateAll(t, rand.New(rand.NewPCG(seed, length)), length)
		})
	}
}

func mutateAll(t *testing.T, rng *rand.Rand, length uint64) {
	answers, tried := 0, 0
	bits, share := 0.02, min(1, sampled/float64(length*length))
	beside := share // of the answers with a seek beside a block or node, by far the most
	switch os.Getenv("HYPERNODE_LONG") {
	case "":
	case "kinds":
		bits, share, beside = 1, 1, 0.03
	default:
		bits, share, beside = 1, 1, 1
	}
	s := sealed{newLog(nil, 0, testBlocks(rng, int(length)))}
	for have := uint64(0); have <= length; have++ {
		if have != length && have > 0 && rng.IntN(int(length)) > 1 {
			continue
		}
		r := s.at(t, have)
		if have > 2 && rng.IntN(2) == 0 {
			r = s.at(t, have, rng.Uint64N(have), rng.Uint64N(have))
		}
		seen := make(map[string]bool) // a seek within a block leads to the answer that the block alone has
		s.requests(t, r, func(q *merkle.Request) {
			a := newAttempt(t, r, s.answer(t, q))
			answers++
			if data := string(merkle.AppendProof(nil, a.proof)); !seen[data] {
				seen[data] = true
			} else {
				return
			}
			part := share
			if q.Seek != nil && (q.Block != nil || q.Hash != nil) {
				part = beside
			}
			if rng.Float64() < part {
				tried += a.mutate(t, rng, bits)
			}
		})
	}
	t.Logf("%d answers accepted, %d mutations tried", answers, tried)
}
