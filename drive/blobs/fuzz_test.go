package blobs

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core"
)

func FuzzDecodeMap(f *testing.F) {
	for _, chunks := range [][]Chunk{nil, {{0, 4}}, {{252, 252}, {253, 253}, {65536, 1}, {1 << 40, 8 << 20}}} {
		for _, b := range EncodeMap(chunks) {
			f.Add(b)
		}
	}
	f.Add([]byte{0, 0xff, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		chunks, err := DecodeMap(nil, b)
		if err != nil {
			return
		}
		if len(chunks) > MapChunks || 2*len(chunks) > len(b) {
			t.Fatalf("%d chunks of %d bytes", len(chunks), len(b))
		}
		var back []Chunk
		for _, block := range EncodeMap(chunks) {
			if back, err = DecodeMap(back, block); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(chunks, back) {
			t.Fatal("other chunks come back")
		}
	})
}

func FuzzID(f *testing.F) {
	f.Add([]byte(`{"blockOffset":1,"byteOffset":2,"blockLength":3,"byteLength":4}`))
	f.Add([]byte(`{"byteLength":4,"blockMap":true,"blockOffset":1,"byteOffset":2,"blockLength":3,"x":[]}`))
	f.Add([]byte(`{"blockOffset":9007199254740992,"byteOffset":1e3,"blockLength":-1,"byteLength":0.5}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var id, again ID
		if json.Unmarshal(b, &id) != nil {
			return
		}
		if err := id.Check(); err != nil {
			t.Fatal(err)
		}
		if r := id.Blocks(); r.End < r.Start || id.ByteLength > id.BlockLength*core.MaxBlock+core.MaxBlock {
			t.Fatalf("%s was accepted", id)
		}
		if err := json.Unmarshal(id.AppendJSON(nil), &again); err != nil || again != id {
			t.Fatalf("%s comes back as %s, %v", id, again, err)
		}
	})
}

// FuzzChunker cuts bytes in pieces of any size: the pieces must not matter, nor may bytes be lost.
func FuzzChunker(f *testing.F) {
	f.Add(noise(1, 5000), uint16(7))
	f.Add(make([]byte, 1000), uint16(1))
	f.Fuzz(func(t *testing.T, data []byte, piece uint16) {
		data = data[:min(len(data), 1<<14)]
		whole := cuts(newChunker(128, 1024), data, len(data))
		parts := cuts(newChunker(128, 1024), data, int(piece))
		if !slices.Equal(whole, parts) {
			t.Fatalf("%v, and in pieces of %d %v", whole, piece, parts)
		}
		sum := 0
		for i, n := range whole {
			if sum += n; n > 1024 || n < 128 && i < len(whole)-1 {
				t.Fatalf("a chunk of %d bytes", n)
			}
		}
		if sum != len(data) {
			t.Fatalf("%d bytes of %d", sum, len(data))
		}
	})
}

// FuzzReader reads any id over a small core: it may fail, but gives no byte that is not the blob's.
func FuzzReader(f *testing.F) {
	b := newBlobs(f, 100)
	all := noise(1, 1234)
	if _, err := b.Put(f.Context(), all); err != nil {
		f.Fatal(err)
	}
	f.Add(uint64(0), uint64(0), uint64(13), uint64(1234), int64(100), int64(200))
	f.Add(uint64(3), uint64(300), uint64(2), uint64(150), int64(0), int64(150))
	f.Fuzz(func(t *testing.T, block, offset, blocks, size uint64, from, n int64) {
		id := ID{BlockOffset: block % 20, ByteOffset: offset % 2000, BlockLength: blocks % 20, ByteLength: size % 2000}
		got, err := b.ReadRange(t.Context(), id, from%3000, n%3000)
		if err != nil {
			return
		}
		start := max(0, min(from%3000, int64(id.ByteLength)))
		if len(got) > int(id.ByteLength) {
			t.Fatalf("%s: %d bytes", id, len(got))
		}
		if id.ByteOffset == 100*id.BlockOffset && len(got) > 0 { // the id is right about where it begins
			if at := int64(id.ByteOffset) + start; !bytes.Equal(got, all[at:at+int64(len(got))]) {
				t.Fatalf("%s: other bytes from %d", id, start)
			}
		}
	})
}
