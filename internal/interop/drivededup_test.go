package interop

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/blobs"
)

// TestDriveDedup has both sides write a large file whose parts are not stored twice, then again with something in its midst, and a part of
// itself behind: the cuts, the block maps and all other blocks are the same, and each side reads what the other wrote.
func TestDriveDedup(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), cellDeadline)
	defer cancel()
	c := &cell{t: t, ctx: ctx}
	primary, peer := keys.PrimaryKey{5}, Start(t)
	d, err := drive.Create(ctx, NodeFrom(t, primary).Store, drive.Own())
	c.must(err)
	defer d.Close()
	j, err := openJSDrive(ctx, peer.StoreFrom(t, primary), keys.Key{}, nil)
	c.must(err)
	first := make([]byte, 6<<20)
	rand.NewChaCha8([32]byte{7}).Read(first)
	second := slices.Concat(first[:2<<20], []byte("something new"), first[2<<20:], first[:3<<20])
	dir := t.TempDir()
	for _, data := range [][]byte{first, second, nil} {
		c.must(os.WriteFile(filepath.Join(dir, "large"), data, 0o600))
		c.must(j.do(ctx, "drive.import", Args{"dir": dir, "dedup": true}, nil))
		w, err := d.CreateWith(ctx, "/large", drive.Meta{}, blobs.WriterOptions{Dedup: true})
		c.must(err)
		_, err = w.ReadFrom(bytes.NewReader(data))
		c.must(err)
		c.must(w.Close())
		ours, err := stateOf(ctx, d)
		c.must(err)
		theirs, err := j.state(ctx)
		c.must(err)
		if fmt.Sprint(ours) != fmt.Sprint(theirs) {
			t.Fatalf("%d bytes: here %+v, there %+v", len(data), ours, theirs)
		}
		got, err := d.ReadFile(ctx, "/large")
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes are read, %v, want %d", len(got), err, len(data))
		}
	}
	if n := d.Version(); n != 4 {
		t.Errorf("version %d", n)
	}
}
