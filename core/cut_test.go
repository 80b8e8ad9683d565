package core

import (
	"bytes"
	"context"
	"io"
	"iter"
	"testing"
	"testing/synctest"
)

// waitsForEver returns a reader of a log of n blocks, none of which it has nor will ever get.
func waitsForEver(t *testing.T, n uint64) (writer, reader *Core) {
	t.Helper()
	writer = newWriter(t, 1, numbered(1, n)...)
	s := newFakeSource(writer, 1)
	reader = newReader(t, writer, s)
	upgrade(t, writer, reader)
	s.hold = func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	return writer, reader
}

// TestCutEndsWaits cuts a log below what others wait for: nothing of that will ever come, and they are told.
func TestCutEndsWaits(t *testing.T) {
	const n = 20
	for name, wait := range map[string]func(ctx context.Context, c *Core) error{
		"get":      func(ctx context.Context, c *Core) error { _, err := c.Get(ctx, 15); return err },
		"offset":   func(ctx context.Context, c *Core) error { _, err := c.Offset(ctx, 15); return err },
		"seek":     func(ctx context.Context, c *Core) error { _, _, err := c.Seek(ctx, c.Head().ByteLength/3); return err },
		"wait":     func(ctx context.Context, c *Core) error { _, err := c.Wait(ctx, c.Head()); return err },
		"blocks":   func(ctx context.Context, c *Core) error { return last(c.Blocks(ctx, 15, n)) },
		"live":     func(ctx context.Context, c *Core) error { return last(c.Live(ctx, n)) },
		"bytes":    func(ctx context.Context, c *Core) error { return last(c.Bytes(ctx, 200, 5)) },
		"reader":   func(ctx context.Context, c *Core) error { _, err := io.ReadAll(c.NewReader(ctx)); return err },
		"download": func(ctx context.Context, c *Core) error { return c.Download(ctx, Want{Blocks: []uint64{15}}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				writer, reader := waitsForEver(t, n)
				x, err := reader.Snapshot()
				if err != nil {
					t.Fatal(err)
				}
				defer x.Close()
				done := make(chan error, 1)
				go func() { done <- wait(t.Context(), x) }()
				synctest.Wait()
				select {
				case err := <-done:
					t.Fatalf("did not wait: %v", err)
				default:
				}
				if err := writer.Truncate(t.Context(), 3); err != nil {
					t.Fatal(err)
				}
				catchUp(t, writer, reader)
				synctest.Wait()
				select {
				case err := <-done:
					wantErr(t, "after the cut", err, ErrTruncated)
				default:
					t.Fatal("waits on")
				}
				if reader.log.watches != nil {
					t.Fatal("a watch is left")
				}
			})
		})
	}
}

// last returns the error that a sequence ends with.
func last(seq iter.Seq2[[]byte, error]) (err error) {
	for _, err = range seq {
	}
	return err
}

// TestCutEndsWalk cuts a log below what was yielded, while a walk over the log itself waits for more.
func TestCutEndsWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader := waitsForEver(t, 20)
		for i := range uint64(5) {
			fetchBlock(t, writer, reader, i)
		}
		done, n := make(chan error, 1), 0
		go func() {
			for _, err := range reader.Blocks(t.Context(), 0, 20) {
				if err != nil {
					done <- err
					return
				}
				n++
			}
		}()
		synctest.Wait()
		if err := writer.Truncate(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		catchUp(t, writer, reader)
		synctest.Wait()
		select {
		case err := <-done:
			wantErr(t, "after the cut", err, ErrTruncated)
		default:
			t.Fatal("waits on")
		}
		if n != 5 {
			t.Fatalf("%d blocks", n)
		}
	})
}

// TestCutSnapshot looks at all that a snapshot tells, before and after it is cut.
func TestCutSnapshot(t *testing.T) {
	w := newWriter(t, 1, numbered(1, 9)...)
	hash, signature := w.TreeHash(), w.Signature()
	x, err := w.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	mustAppend(t, w, numbered(10, 4)...)
	same := func() {
		t.Helper()
		if x.TreeHash() != hash || !bytes.Equal(x.Signature(), signature) || x.Head().Length != 9 || w.TreeHash() == hash {
			t.Fatalf("%v, %v", x.Head(), x.TreeHash())
		}
	}
	same()
	if ok, err := x.Has(t.Context(), 8, 10); ok || err != nil {
		t.Fatalf("has a block behind its end: %v, %v", ok, err)
	}
	if held := heldBlocks(t, x); len(held) != 9 || x.Contiguous() != 9 {
		t.Fatalf("holds %v, %d contiguous", held, x.Contiguous())
	}
	if list, err := x.Held(t.Context(), 5, 12); err != nil || len(list) != 1 || list[0] != (Range{5, 9}) {
		t.Fatalf("holds %v, %v", list, err)
	}
	if i, err := x.Info(t.Context()); err != nil || i.Head != x.Head() || i.TreeHash != hash || i.Held != 9 || i.Disk.Blocks != i.Head.ByteLength {
		t.Fatalf("%+v, %v", i, err)
	}
	mustVerify(t, x)
	if err := w.Truncate(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, w, numbered(50, 9)...)
	same()
	ok, err := x.Has(t.Context(), 0, 5)
	if wantErr(t, "has", err, ErrTruncated); ok {
		t.Fatal("has blocks of another fork")
	}
	_, err = x.Held(t.Context(), 0, 5)
	wantErr(t, "held", err, ErrTruncated)
	_, err = x.Info(t.Context())
	wantErr(t, "info", err, ErrTruncated)
	if n := x.Contiguous(); n != 0 {
		t.Fatalf("%d contiguous", n)
	}
}

// TestCutStream cuts a log that is being read as a stream, and fills it with other bytes.
func TestCutStream(t *testing.T) {
	for name, change := range map[string]func(c *Core) error{
		"shorter": func(c *Core) error { return c.Truncate(t.Context(), 2) },
		"refilled": func(c *Core) error {
			err := c.Truncate(t.Context(), 2)
			mustAppend(t, c, numbered(50, 2*chunkBlocks)...)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			const n = chunkBlocks + 100 // more than is read at once
			c := newWriter(t, 1, numbered(1, n)...)
			r, all := c.NewReader(t.Context()), bytes.Join(numbered(1, n), nil)
			ahead := c.NewReader(t.Context())
			if _, err := ahead.Seek(-10, io.SeekEnd); err != nil {
				t.Fatal(err)
			}
			next, stop := iter.Pull2(c.Bytes(t.Context(), 0, uint64(len(all))))
			defer stop()
			if b, err, _ := next(); err != nil || !bytes.HasPrefix(all, b) {
				t.Fatalf("%x, %v", b, err)
			}
			if err := change(c); err != nil {
				t.Fatal(err)
			}
			err := error(nil)
			for more := true; err == nil; {
				if _, err, more = next(); !more {
					t.Fatal("all bytes of a log that was cut")
				}
			}
			wantErr(t, "bytes", err, ErrTruncated)
			_, err = r.Read(make([]byte, 10))
			wantErr(t, "read", err, ErrTruncated)
			_, err = ahead.Read(make([]byte, 10))
			wantErr(t, "read near the end", err, ErrTruncated)
			_, err = ahead.WriteTo(io.Discard)
			wantErr(t, "write", err, ErrTruncated)
			if r.Size() != int64(len(all)) {
				t.Fatalf("%d bytes", r.Size())
			}
		})
	}
}

// TestStreamEnds closes the handle that a stream was made of.
func TestStreamEnds(t *testing.T) {
	c := newWriter(t, 1, numbered(1, 20)...)
	s, err := c.Session(Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := s.NewReader(t.Context())
	if _, err := r.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(r)
	wantErr(t, "read", err, ErrClosed)
	wantErr(t, "bytes", last(s.Bytes(t.Context(), 0, 9)), ErrClosed)
}

// TestShortSnapshot reads the beginning of a log, as a stream too, of which a sparse reader has nothing.
func TestShortSnapshot(t *testing.T) {
	for name, o := range sparseOptions() {
		t.Run(name, func(t *testing.T) {
			const n = 40
			for length := range uint64(n + 1) {
				_, r, _ := sparsePair(t, n, o)
				if err := r.Update(t.Context()); err != nil {
					t.Fatal(err)
				}
				x, err := r.At(length)
				if err != nil {
					t.Fatal(err)
				}
				want := bytes.Join(numbered(0, length), nil)
				if end, err := x.Offset(t.Context(), length); err != nil || end != uint64(len(want)) {
					t.Fatalf("%d blocks end at %d, %v, want %d", length, end, err, len(want))
				}
				stream := x.NewReader(t.Context())
				got, err := io.ReadAll(stream)
				if err != nil || !bytes.Equal(got, want) || stream.Size() != int64(len(want)) {
					t.Fatalf("%d blocks: %d bytes of %d, %v", length, len(got), len(want), err)
				}
				if err := x.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
