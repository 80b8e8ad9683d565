package core

import (
	"context"
	"errors"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

// TestVerifyBesideChanges verifies while the log is appended to, cleared and cut: nothing is found to be bad.
func TestVerifyBesideChanges(t *testing.T) {
	for name, db := range map[string]*datastore.DB{"memory": memoryDB(t, datastore.Options{}), "pebble": smallPebble(t, datastore.Options{})} {
		t.Run(name, func(t *testing.T) {
			c := openCore(t, db, Options{Pair: pairOf(1), Derived: true})
			ctx, cancel := context.WithCancel(t.Context())
			changed := make(chan error, 1)
			go func() { changed <- changeAll(ctx, c) }()
			for range runs("HYPERNODE_MODEL_RUNS", 60) {
				mustVerify(t, c)
				i, err := c.Info(t.Context())
				if err != nil || i.Held > i.Head.Length || i.Contiguous > i.Held {
					t.Fatalf("%+v, %v", i, err)
				}
			}
			cancel()
			if err := <-changed; !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			mustVerify(t, c)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if name == "pebble" {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// changeAll appends, clears and cuts until ctx ends.
func changeAll(ctx context.Context, c *Core) error {
	for i := uint64(0); ; i++ {
		n := c.Head().Length
		_, err := c.Append(ctx, numbered(i, 1+i%7)...)
		if err == nil && i%5 == 0 {
			err = c.Clear(ctx, n/2, n/2+2)
		}
		if err == nil && i%9 == 0 {
			err = c.Truncate(ctx, n-n%13/2)
			if errors.Is(err, ErrNotAvailable) {
				err = nil // its roots were cleared
			}
		}
		if n > 300 {
			err = errors.Join(err, c.Truncate(ctx, 0))
		}
		if err != nil {
			return err
		}
	}
}
