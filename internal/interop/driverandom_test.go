package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
)

// TestDriveRandom does random sequences of changes on both sides, single ones and batches, with the drives closed and opened again, and
// cut back to a version, between, and compares both cores block by block. HYPERNODE_DRIVE_SEQUENCES is how many sequences, HYPERNODE_DRIVE_SEED repeats them.
func TestDriveRandom(t *testing.T) {
	peer, seed, count := Start(t), rand.Uint64(), 4
	if n, err := strconv.Atoi(os.Getenv("HYPERNODE_DRIVE_SEQUENCES")); err == nil {
		count = n
	}
	if n, err := strconv.ParseUint(os.Getenv("HYPERNODE_DRIVE_SEED"), 10, 64); err == nil {
		seed = n
	}
	for i := range count {
		t.Run(fmt.Sprintf("seed=%d", seed+uint64(i)), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), cellDeadline)
			defer cancel()
			s := newSequence(ctx, t, peer, seed+uint64(i))
			for range 6 {
				s.step()
			}
			s.compare()
		})
	}
}

// sequence is a drive on both sides, made by the same changes from one primary key.
type sequence struct {
	*cell
	node   *Node
	peer   *Store
	ref    drive.Ref
	secret []byte
	ours   *drive.Drive
	theirs *jsDrive

	versions []uint64 // after each step
}

func newSequence(ctx context.Context, t *testing.T, peer *Peer, seed uint64) *sequence {
	primary := keys.PrimaryKey{2, byte(seed), byte(seed >> 8)}
	s := &sequence{cell: &cell{t: t, ctx: ctx, rand: rand.New(rand.NewPCG(seed, 2))}, ref: drive.Own()}
	s.node, s.peer = NodeFrom(t, primary), peer.StoreFrom(t, primary)
	if s.rand.IntN(2) == 0 {
		s.ref.Encryption = [32]byte{4}
		s.secret = s.ref.Encryption[:]
	}
	s.open()
	t.Cleanup(func() { s.ours.Close() })
	return s
}

func (s *sequence) open() {
	var err error
	s.ours, err = drive.Create(s.ctx, s.node.Store, s.ref)
	s.must(err)
	s.theirs, err = openJSDrive(s.ctx, s.peer, keys.Key{}, s.secret)
	s.must(err)
	if s.ours.Key() != s.theirs.key {
		s.t.Fatalf("the drive is %s here, %s there", s.ours.Key(), s.theirs.key)
	}
}

// step makes some changes, in one batch or one by one, and opens the drives again now and then.
func (s *sequence) step() {
	ops := driveOps(s.rand, 1+s.rand.IntN(25))
	if s.rand.IntN(2) == 0 {
		s.must(s.ours.Update(s.ctx, func(tx *drive.Batch) error { return goBatch(tx, ops) }))
		s.must(s.theirs.do(s.ctx, "drive.batch", Args{"ops": jsOps(ops)}, nil))
	} else {
		s.must(goDrive(s.ctx, s.ours, ops))
		s.must(s.theirs.apply(s.ctx, ops))
	}
	s.versions = append(s.versions, s.ours.Version())
	if s.rand.IntN(6) == 0 {
		to := s.versions[s.rand.IntN(len(s.versions))]
		s.must(s.ours.Truncate(s.ctx, to))
		s.must(s.theirs.do(s.ctx, "drive.truncate", Args{"version": to}, nil))
		s.versions = slices.DeleteFunc(s.versions, func(v uint64) bool { return v > to })
	}
	if s.rand.IntN(3) == 0 {
		s.must(s.ours.Close())
		s.must(s.peer.Peer.Command(s.ctx, "close", Args{"handle": s.theirs.handle}, nil))
		s.open()
	}
}

// goBatch makes changes in a batch.
func goBatch(tx *drive.Batch, ops []driveOp) error {
	for _, op := range ops {
		m, err := drive.Meta{Executable: op.executable, Metadata: json.RawMessage(op.metadata)}, error(nil)
		switch {
		case op.del:
			err = tx.Remove(op.path)
		case op.link != "":
			err = tx.Symlink(op.path, op.link, m)
		default:
			err = tx.WriteFile(op.path, op.data, m)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", op.path, err)
		}
	}
	return nil
}

func jsOps(ops []driveOp) (list []Args) {
	for _, op := range ops {
		args := Args{"path": op.path, "data": op.data, "link": op.link, "del": op.del, "executable": op.executable}
		if op.metadata != "" {
			args["metadata"] = json.RawMessage(op.metadata)
		}
		list = append(list, args)
	}
	return list
}

// compare holds both cores of the drives against each other.
func (s *sequence) compare() {
	s.t.Helper()
	ours, err := stateOf(s.ctx, s.ours)
	s.must(err)
	theirs, err := s.theirs.state(s.ctx)
	s.must(err)
	if fmt.Sprint(ours) != fmt.Sprint(theirs) {
		s.t.Errorf("here %+v, there %+v", ours, theirs)
	}
	b, err := s.ours.Blobs(s.ctx)
	s.must(err)
	for name, here := range map[string]*core.Core{"entries": s.ours.Core(), "contents": b.Core()} {
		there, err := s.peer.Open(s.ctx, Spec{Key: here.Key(), Encryption: s.ref.Encryption})
		s.must(err)
		n := here.Head().Length
		want, err := there.Stored(s.ctx, 0, n)
		s.must(err)
		for i := range n {
			got, err := here.Get(s.ctx, i)
			s.must(err)
			if want[i] == nil || !bytes.Equal(got, want[i]) {
				s.t.Fatalf("block %d of %d of the %s is %.80q here, %.80q there", i, n, name, got, want[i])
			}
		}
	}
}
