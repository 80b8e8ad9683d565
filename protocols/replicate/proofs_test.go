package replicate

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/vectors"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// goldenProofs is what JavaScript provers answered, and what became of readers that took it.
type goldenProofs struct {
	Cores map[string]struct {
		Key    vectors.Hex
		Compat bool
	}
	Cases []struct {
		ID, Core string
		Steps    []goldenStep
	}
}

type goldenStep struct {
	RequestHex, DataHex vectors.Hex
	Result              string
	After               *struct {
		Length, Fork, ByteLength uint64
		TreeHash                 string
		Blocks                   []uint64
	}
	Tampered []struct {
		Desc           string
		Offset, Remove int
		Insert         vectors.Hex
		Result         string
	}
}

// exchange has a session ask what was recorded, under the number that it had, and hear data for it. It tells whether the stream
// lived on.
func (n *node) exchange(c *core.Core, request, data []byte) (lives bool) {
	n.t.Helper()
	p := newStage([64]byte{}, false)
	done := make(chan error, 1)
	go func() { done <- n.set.Serve(n.t.Context(), p, nil) }()
	p.in <- opening(1, c.Key())
	synctest.Wait()
	r := n.set.Core(c.DiscoveryKey())
	q, l := requestOf(n.t, request), r.list()[0]
	r.step(l, false, func(s *scheduler) { s.ids, l.peer.follow = q.ID-1, append(l.peer.follow, q) })
	synctest.Wait()
	p.in <- mux.AppendMessage(nil, mux.Message{Channel: 1, Type: uint64(wire.TypeData), Payload: data})
	synctest.Wait()
	p.Close()
	return <-done == nil
}

// stateOf describes a core.
func stateOf(t *testing.T, c *core.Core) string {
	t.Helper()
	h := c.Head()
	held, err := c.Held(t.Context(), 0, h.Length)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []uint64
	for _, r := range held {
		for i := r.Start; i < r.End; i++ {
			blocks = append(blocks, i)
		}
	}
	return describe(h.Length, h.Fork, h.ByteLength, c.TreeHash().String(), blocks)
}

func describe(length, fork, bytes uint64, tree string, blocks []uint64) string {
	return fmt.Sprintf("fork %d, %d blocks of %d bytes, tree %s, holds %v", fork, length, bytes, tree, blocks)
}

// The golden proofs come through a session as they do into a core: what is right is taken, and leaves the core as it should be; what
// was tampered with leaves it as it was.
func TestVectorsProofs(t *testing.T) {
	var v goldenProofs
	vectors.Load(t, "proofs.json", &v)
	taken, refused := 0, 0
	for _, c := range v.Cases {
		t.Run(c.ID, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, Options{})
				ref := corestore.Key(keys.Key(v.Cores[c.Core].Key.Array32(t)))
				ref.Compat = v.Cores[c.Core].Compat
				reader := n.open(ref)
				for i := range c.Steps {
					s := &c.Steps[i]
					if s.DataHex == nil {
						continue // the prover has none
					}
					refused += n.tamper(t, reader, s)
					before := stateOf(t, reader)
					lives := n.exchange(reader, s.RequestHex, s.DataHex)
					after := stateOf(t, reader)
					if s.Result != "accept" {
						if after != before {
							t.Fatalf("%s, yet %s became %s", s.Result, before, after)
						}
						continue
					}
					taken++
					want := describe(s.After.Length, s.After.Fork, s.After.ByteLength, s.After.TreeHash, s.After.Blocks)
					if !lives || after != want {
						t.Fatalf("the answer to %v: %s, want %s; the stream lives on: %v", s.RequestHex, after, want, lives)
					}
				}
			})
		})
	}
	t.Logf("%d proofs were taken, %d refused", taken, refused)
	if taken == 0 || refused == 0 {
		t.Errorf("%d proofs were taken, %d refused", taken, refused)
	}
}

// tamper lets a core hear the answers of a step that were tampered with and must not be taken, and returns how many there were.
func (n *node) tamper(t *testing.T, c *core.Core, s *goldenStep) (count int) {
	t.Helper()
	before := stateOf(t, c)
	for _, x := range s.Tampered {
		if x.Result == "accept" {
			continue
		}
		count++
		data := slices.Replace(slices.Clone([]byte(s.DataHex)), x.Offset, x.Offset+x.Remove, x.Insert...)
		if n.exchange(c, s.RequestHex, data); stateOf(t, c) != before {
			t.Fatalf("%v with %s at %d is taken: %s became %s", s.RequestHex, x.Desc, x.Offset, before, stateOf(t, c))
		}
	}
	return count
}
