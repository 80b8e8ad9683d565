package blobs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

// noise is bytes that no layer shortens, the same for one seed.
func noise(seed byte, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{seed})
	_, _ = r.Read(b)
	return b
}

// TestWriterLarge writes more than two groups, by all ways in.
func TestWriterLarge(t *testing.T) {
	data := noise(1, 2*groupBytes+70_001)
	for name, write := range map[string]func(w *Writer) error{
		"write": func(w *Writer) error {
			for p := data; len(p) > 0; {
				n := min(len(p), 100_003)
				if _, err := w.Write(p[:n]); err != nil {
					return err
				}
				p = p[n:]
			}
			return nil
		},
		"read from": func(w *Writer) error {
			_, err := io.Copy(w, struct{ io.Reader }{bytes.NewReader(data)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBlobs(t, 0)
			before, err := b.Put(t.Context(), []byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			w := b.NewWriter(t.Context(), WriterOptions{})
			if err := write(w); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			id := w.ID()
			want := ID{BlockOffset: 1, ByteOffset: before.ByteLength, BlockLength: uint64(len(data)+65535) / 65536, ByteLength: uint64(len(data))}
			if id != want {
				t.Errorf("the id is %s, want %s", id, want)
			}
			got, err := b.Get(t.Context(), id)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes come back, %v", len(got), err)
			}
			if _, err := w.Write([]byte("x")); !errors.Is(err, ErrClosed) {
				t.Errorf("a write after Close: %v", err)
			}
		})
	}
}

// TestWriterDedup writes a file twice, the second time with something in its midst: most of it is not stored again.
func TestWriterDedup(t *testing.T) {
	b := newBlobs(t, 0)
	data := noise(2, 6<<20)
	put := func(data []byte, base *ID) ID {
		w := b.NewWriter(t.Context(), WriterOptions{Dedup: true, Base: base})
		if _, err := w.ReadFrom(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return w.ID()
	}
	first := put(data, nil)
	size := b.core.Head().ByteLength
	changed := append(append(append([]byte(nil), data[:3<<20]...), "something new"...), data[3<<20:]...)
	second := put(changed, &first)
	if grown := b.core.Head().ByteLength - size; grown > 5<<20 || grown == 0 {
		t.Errorf("the second file takes %d bytes", grown)
	}
	for id, want := range map[ID][]byte{first: data, second: changed} {
		got, err := b.Get(t.Context(), id)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", id, len(got), err)
		}
	}
	plain, err := b.Put(t.Context(), noise(3, 200_000))
	if err != nil {
		t.Fatal(err)
	}
	length := b.core.Head().Length
	w := b.NewWriter(t.Context(), WriterOptions{Dedup: true, Base: &plain})
	for c := range 4 {
		if err := w.WriteBlock(noise(3, 200_000)[c*65536 : min(200_000, (c+1)*65536)]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := b.core.Head().Length - length; n != 1 {
		t.Errorf("a file that is there already takes %d blocks, want 1 for its map", n)
	}
}

// TestWriterAbort gives a blob up, before and after its first group.
func TestWriterAbort(t *testing.T) {
	b := newBlobs(t, 0)
	for _, n := range []int{0, 10, groupBytes + 1, 3 * groupBytes} {
		w := b.NewWriter(t.Context(), WriterOptions{})
		if _, err := w.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		w.Abort()
		if err := w.Close(); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("Close after Abort: %v", err)
		}
	}
	id, err := b.Put(t.Context(), []byte("after"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Get(t.Context(), id); string(got) != "after" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestWriterFails has a reader that fails in the midst.
func TestWriterFails(t *testing.T) {
	b := newBlobs(t, 0)
	w := b.NewWriter(t.Context(), WriterOptions{})
	broken := errors.New("broken")
	if _, err := w.ReadFrom(io.MultiReader(bytes.NewReader(make([]byte, 100_000)), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("the reader's error: %v", err)
	}
	w.Abort()
}

// TestWritersFollow has writers through two values on one core: their blobs do not mix.
func TestWritersFollow(t *testing.T) {
	c := newCore(t, keys.PairFromSeed(keys.Seed{1}))
	list := []*Blobs{blobsOf(t, c, 1000), blobsOf(t, c, 1000)}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			b := list[i%2]
			for k := range 5 {
				want := noise(byte(i*5+k), 20_000)
				w := b.NewWriter(t.Context(), WriterOptions{})
				if _, err := w.Write(want); err != nil {
					t.Error(err)
				}
				if err := w.Close(); err != nil {
					t.Error(err)
				}
				if got, err := b.Get(t.Context(), w.ID()); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %v", w.ID(), err)
				}
			}
		})
	}
	wg.Wait()
}

// TestReader holds a reader against the tests of the standard library, for blobs of all kinds.
func TestReader(t *testing.T) {
	b := newBlobs(t, 1000)
	for _, n := range []int{0, 1, 999, 1000, 1001, 9000} {
		for _, o := range []WriterOptions{{}, {BlockMap: true}, {Dedup: true}} {
			for _, irregular := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d/%v/%v", n, o, irregular), func(t *testing.T) {
					data := noise(byte(n), n)
					w := b.NewWriter(t.Context(), o)
					rng := rand.New(rand.NewPCG(uint64(n), 1))
					for rest := data; len(rest) > 0; {
						k := min(len(rest), 1000)
						if irregular {
							k = rng.IntN(min(len(rest), 3000) + 1) // also empty blocks
						}
						if err := w.WriteBlock(rest[:k]); err != nil {
							t.Fatal(err)
						}
						rest = rest[k:]
					}
					if err := w.Close(); err != nil {
						t.Fatal(err)
					}
					r, err := b.Open(t.Context(), w.ID())
					if err != nil {
						t.Fatal(err)
					}
					defer r.Close()
					if err := iotest.TestReader(r, data); err != nil {
						t.Error(err)
					}
					if r.Size() != int64(n) {
						t.Errorf("size %d", r.Size())
					}
				})
			}
		}
	}
}

// TestHostileIDs reads ids that nobody writes: each is an error, and no byte outside of the blob is returned.
func TestHostileIDs(t *testing.T) {
	b := newBlobs(t, 1000)
	if _, err := b.Put(t.Context(), noise(1, 3500)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []ID{
		{BlockOffset: 1 << 53},
		{BlockOffset: 1<<53 - 1, BlockLength: 1, ByteLength: 1},
		{ByteLength: 1},
		{BlockLength: 1, ByteLength: 1 << 40},
		{BlockLength: 1 << 50, ByteLength: 1 << 52},
		{BlockOffset: 4, ByteOffset: 3500, BlockLength: 1, ByteLength: 10},
		{BlockLength: 1, ByteLength: 1001},                                  // more than the block has
		{BlockOffset: 1, ByteOffset: 0, BlockLength: 1, ByteLength: 2000},   // of another place
		{BlockOffset: 0, ByteOffset: 0, BlockLength: 65, BlockMap: true},    // a map too long
		{BlockOffset: 0, ByteOffset: 0, BlockLength: 1, BlockMap: true},     // no map
		{BlockOffset: 100, ByteOffset: 0, BlockLength: 1, BlockMap: true},   // not there
		{BlockOffset: 0, BlockLength: 4, ByteLength: 3500, ByteOffset: 700}, // elsewhere
	} {
		got, err := b.Get(t.Context(), id)
		known := errors.Is(err, ErrInvalidID) || errors.Is(err, ErrInvalidMap)
		if elsewhere := id.ByteOffset == 700; !known && !elsewhere {
			t.Errorf("%s: %d bytes, %v", id, len(got), err)
		}
		if r, err := b.Open(t.Context(), id); err == nil {
			p := make([]byte, 10)
			for _, off := range []int64{0, 500, 999, 1000, 1500, 3490, 1 << 40} {
				if n, err := r.ReadAt(p, off); n == len(p) && uint64(off)+10 > id.ByteLength {
					t.Errorf("%s: %d bytes at %d, %v", id, n, off, err)
				}
			}
			r.Close()
		}
	}
}

// TestHostileMaps has maps that name what is not there, and that lie about sizes.
func TestHostileMaps(t *testing.T) {
	b := newBlobs(t, 0)
	if _, err := b.Put(t.Context(), []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		chunks []Chunk
		good   bool
	}{
		{[]Chunk{{0, 10}, {0, 10}}, true},
		{[]Chunk{{0, 11}}, false},
		{[]Chunk{{0, 9}}, false},
		{[]Chunk{{1 << 52, 10}}, false},
		{[]Chunk{{0, core.MaxBlock}}, false},
	} {
		blocks := EncodeMap(c.chunks)
		head := b.core.Head()
		if _, err := b.core.Append(t.Context(), blocks...); err != nil {
			t.Fatal(err)
		}
		id := ID{BlockOffset: head.Length, ByteOffset: head.ByteLength, BlockLength: 1, ByteLength: uint64(len(blocks[0])), BlockMap: true}
		got, err := b.Get(t.Context(), id)
		if c.good != (err == nil) {
			t.Errorf("%v: %q, %v", c.chunks, got, err)
		}
	}
	for _, raw := range []string{"", "\x01\x00", "\x00\xff", "\x00\xfd\xff\xff", "\x00\x02\x00\x01", "\x00\x01\x00\xfe\xff\xff\xff\xff"} {
		if chunks, err := DecodeMap(nil, []byte(raw)); !errors.Is(err, ErrInvalidMap) {
			t.Errorf("%x: %v, %v", raw, chunks, err)
		}
	}
}

func TestClear(t *testing.T) {
	b := newBlobs(t, 1000)
	keep, err := b.Put(t.Context(), noise(1, 2500))
	if err != nil {
		t.Fatal(err)
	}
	w := b.NewWriter(t.Context(), WriterOptions{Dedup: true})
	for i := range 5 {
		if err := w.WriteBlock(noise(byte(i), 700)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	has := func(id ID) bool {
		ok, err := b.Has(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !has(keep) || !has(w.ID()) {
		t.Error("what was written is not there")
	}
	if err := b.Clear(t.Context(), w.ID()); err != nil {
		t.Fatal(err)
	}
	if !has(keep) || has(w.ID()) {
		t.Error("something else was cleared")
	}
	if _, err := b.Get(t.Context(), w.ID()); !errors.Is(err, core.ErrNotAvailable) {
		t.Errorf("what was cleared: %v", err)
	}
	held, err := b.core.Held(t.Context(), 0, b.core.Head().Length)
	if err != nil || len(held) != 1 || held[0].End != 3 {
		t.Errorf("held: %v, %v", held, err)
	}
}
