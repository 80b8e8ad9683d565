package drive_test

import (
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
)

// TestWrongEncryptionKey opens a drive with another encryption key than its own, or none, to change it: nothing is written, also when it
// has nothing but its header.
func TestWrongEncryptionKey(t *testing.T) {
	s := newStore(t)
	for name, fill := range map[string]func(d *drive.Drive){
		"header":  func(d *drive.Drive) { noError(t, d.Remove(t.Context(), "/none")) },
		"entries": func(d *drive.Drive) { mustWrite(t, d, "/f", "f") },
	} {
		ref := drive.Name(name)
		ref.Encryption = [32]byte{1}
		right := create(t, s, ref)
		fill(right)
		head := right.Core().Head()
		for _, key := range [][32]byte{{2}, {}} {
			ref.Encryption = key
			d := create(t, s, ref)
			for what, err := range map[string]error{
				"write":    d.WriteFile(t.Context(), "/x", []byte("x"), drive.Meta{}),
				"link":     d.Symlink(t.Context(), "/x", "/y", drive.Meta{}),
				"set":      d.SetEntry(t.Context(), "/x", drive.Entry{}),
				"remove":   d.Remove(t.Context(), "/f"),
				"mount":    d.Mount(t.Context(), "/x", keys.Key{7}),
				"tag":      d.Tag(t.Context(), "x", 0),
				"untag":    d.Untag(t.Context(), "x"),
				"update":   d.Update(t.Context(), func(tx *drive.Batch) error { return tx.Symlink("/x", "/y", drive.Meta{}) }),
				"truncate": d.Truncate(t.Context(), 1),
			} {
				if !errors.Is(err, drive.ErrNoDrive) && !errors.Is(err, core.ErrEncrypted) {
					t.Errorf("%s, key %d: %s: %v", name, key[0], what, err)
				}
			}
		}
		if now := right.Core().Head(); now != head {
			t.Errorf("%s: %v became %v", name, head, now)
		}
		mustWrite(t, right, "/after", "after")
		mustRead(t, right, "/after", "after")
	}
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
