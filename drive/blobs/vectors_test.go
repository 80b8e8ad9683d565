package blobs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/blake2b"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/vectors"
)

type vectorFile struct {
	PrimaryKey vectors.Hex
	Scenarios  []scenario
	BlockMaps  []mapVector
	Rabin      []struct {
		Data                    generator
		Piece, MinSize, MaxSize int
		Chunks                  []int
	}
}

type scenario struct {
	Name        string
	BlockSize   int
	Ops         []operation
	IDJSON      []string
	ContentHash []sum
	After       [][2]uint64
	Length      uint64
	ByteLength  uint64
	TreeHash    vectors.Hex
	BlockSizes  []int
	BlockHash8  []vectors.Hex
	Blocks      []vectors.Hex
	Reads       []struct {
		ID   int
		Opts struct{ Start, End, Length *int64 }
		Res  sum
	}
}

type operation struct {
	Op        string
	Data      generator
	BlockSize int
	Dedup     bool
	BlockMap  bool
	Chunks    []generator
	Base      *int
	Puts      []generator
}

// sum is a length and a hash.
type sum struct {
	n    int
	hash string
}

func (s *sum) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&s.n, &s.hash})
}

func sumOf(b []byte) sum {
	h := blake2b.Sum256(b)
	return sum{len(b), fmt.Sprintf("%x", h)}
}

func loadVectors(t *testing.T) (v vectorFile) {
	vectors.Load(t, "blobs.json", &v)
	if len(v.Scenarios) == 0 || len(v.BlockMaps) == 0 || len(v.Rabin) == 0 {
		t.Fatal("golden data: a list is empty")
	}
	return v
}

func TestVectorsScenarios(t *testing.T) {
	v := loadVectors(t)
	for _, s := range v.Scenarios {
		t.Run(s.Name, func(t *testing.T) {
			c := newCore(t, keys.PairFromSeed(keys.Seed{1}))
			s.write(t, c)
			s.checkCore(t, c)
			s.read(t, blobsOf(t, c, s.BlockSize))
		})
	}
}

// write does the operations and compares the ids.
func (s *scenario) write(t *testing.T, c *core.Core) {
	var ids []ID
	for i, op := range s.Ops {
		size := s.BlockSize
		if op.BlockSize > 0 {
			size = op.BlockSize
		}
		got := op.do(t, blobsOf(t, c, size), ids)
		for _, id := range got {
			if want := s.IDJSON[len(ids)]; op.json(id) != want {
				t.Fatalf("operation %d: the id is %s, want %s", i, op.json(id), want)
			}
			ids = append(ids, id)
		}
		if h := c.Head(); h.Length != s.After[i][0] || h.ByteLength != s.After[i][1] {
			t.Fatalf("operation %d: %s afterwards, want %v", i, h, s.After[i])
		}
	}
	if len(ids) != len(s.IDJSON) {
		t.Errorf("%d ids, want %d", len(ids), len(s.IDJSON))
	}
}

// json is the text of an id; that of a batch has its fields in another order.
func (op *operation) json(id ID) string {
	if op.Op != "batch" {
		return id.String()
	}
	return fmt.Sprintf(`{"blockOffset":%d,"blockLength":%d,"byteOffset":%d,"byteLength":%d}`,
		id.BlockOffset, id.BlockLength, id.ByteOffset, id.ByteLength)
}

func (op *operation) do(t *testing.T, b *Blobs, ids []ID) []ID {
	switch op.Op {
	case "put":
		if !op.Dedup && !op.BlockMap {
			id, err := b.Put(t.Context(), op.Data.bytes(t))
			if err != nil {
				t.Fatal(err)
			}
			return []ID{id}
		}
		return []ID{op.stream(t, b, slices.Collect(slices.Chunk(op.Data.bytes(t), b.size)), nil)}
	case "write":
		var base *ID
		if op.Base != nil {
			base = &ids[*op.Base]
		}
		var chunks [][]byte
		for _, g := range op.Chunks {
			chunks = append(chunks, g.bytes(t))
		}
		return []ID{op.stream(t, b, chunks, base)}
	case "batch":
		return op.batch(t, b)
	}
	t.Fatalf("golden data: operation %q", op.Op)
	return nil
}

func (op *operation) stream(t *testing.T, b *Blobs, chunks [][]byte, base *ID) ID {
	w := b.NewWriter(t.Context(), WriterOptions{Dedup: op.Dedup, BlockMap: op.BlockMap, Base: base})
	for _, c := range chunks {
		if err := w.WriteBlock(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.ID()
}

func (op *operation) batch(t *testing.T, b *Blobs) (ids []ID) {
	tail, err := b.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Unlock()
	for _, g := range op.Puts {
		ids = append(ids, tail.Put(g.bytes(t)))
	}
	if err := tail.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return ids
}

// checkCore compares the core that was written with the one that JavaScript wrote.
func (s *scenario) checkCore(t *testing.T, c *core.Core) {
	h := c.Head()
	if hash := c.TreeHash(); h.Length != s.Length || h.ByteLength != s.ByteLength || !bytes.Equal(hash[:], s.TreeHash) {
		t.Errorf("%s with tree hash %s, want %d blocks, %d bytes, %s", h, hash, s.Length, s.ByteLength, s.TreeHash)
	}
	i := 0
	for b, err := range c.Blocks(t.Context(), 0, h.Length) {
		if err != nil {
			t.Fatal(err)
		}
		hash := blake2b.Sum256(b)
		if len(b) != s.BlockSizes[i] || !bytes.Equal(hash[:8], s.BlockHash8[i]) ||
			s.Blocks != nil && !bytes.Equal(b, s.Blocks[i]) {
			t.Errorf("block %d is another than it should be", i)
		}
		i++
	}
}

func (s *scenario) read(t *testing.T, b *Blobs) {
	ids := make([]ID, len(s.IDJSON))
	for i, text := range s.IDJSON {
		if err := json.Unmarshal([]byte(text), &ids[i]); err != nil {
			t.Fatal(err)
		}
		data, err := b.Get(t.Context(), ids[i])
		if err != nil || sumOf(data) != s.ContentHash[i] {
			t.Errorf("blob %d: %v, %v, want %v", i, sumOf(data), err, s.ContentHash[i])
		}
	}
	for i, r := range s.Reads {
		start, n := int64(0), int64(-1)
		if r.Opts.Start != nil {
			start = *r.Opts.Start
		}
		if r.Opts.End != nil {
			n = *r.Opts.End - start + 1
		}
		if r.Opts.Length != nil {
			n = *r.Opts.Length
		}
		data, err := b.ReadRange(t.Context(), ids[r.ID], start, n)
		if err != nil || sumOf(data) != r.Res {
			t.Errorf("read %d, %+v: %v, %v, want %v", i, r.Opts, sumOf(data), err, r.Res)
		}
	}
}

// TestVectorsKeys has the scenarios' cores among those that the primary key makes; their blocks are compared by the tree hash.
func TestVectorsKeys(t *testing.T) {
	v := loadVectors(t)
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	store, err := corestore.Open(t.Context(), db, corestore.Options{PrimaryKey: keys.PrimaryKey(v.PrimaryKey.Array32(t))})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, s := range v.Scenarios {
		c, err := store.Open(t.Context(), corestore.Name("blobs-"+s.Name))
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, c)
		s.checkCore(t, c)
	}
}

type mapVector struct {
	Count   int
	Blocks  json.RawMessage
	Sizes   []int
	Hash    []vectors.Hex
	Encoded []vectors.Hex
}

func (m *mapVector) chunks(t *testing.T) (list []Chunk) {
	if strings.HasPrefix(string(m.Blocks), `"`) {
		if string(m.Blocks) != `"i => [i,1]"` {
			t.Fatalf("golden data: blocks %s", m.Blocks)
		}
		for i := range m.Count {
			list = append(list, Chunk{uint64(i), 1})
		}
		return list
	}
	var pairs [][2]uint64
	if err := json.Unmarshal(m.Blocks, &pairs); err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		list = append(list, Chunk{p[0], p[1]})
	}
	return list
}

func TestVectorsBlockMaps(t *testing.T) {
	for i, m := range loadVectors(t).BlockMaps {
		chunks := m.chunks(t)
		blocks := EncodeMap(chunks)
		if len(blocks) != len(m.Sizes) || len(chunks) != m.Count {
			t.Fatalf("case %d: %d blocks for %d chunks, want %d for %d", i, len(blocks), len(chunks), len(m.Sizes), m.Count)
		}
		var back []Chunk
		for k, b := range blocks {
			hash := blake2b.Sum256(b)
			if len(b) != m.Sizes[k] || !bytes.HasPrefix(hash[:], m.Hash[k]) ||
				m.Encoded != nil && !bytes.Equal(b, m.Encoded[k]) {
				t.Errorf("case %d: block %d is another than it should be", i, k)
			}
			var err error
			if back, err = DecodeMap(back, b); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(back, chunks) {
			t.Errorf("case %d: other chunks come back", i)
		}
	}
}

func TestVectorsRabin(t *testing.T) {
	for i, v := range loadVectors(t).Rabin {
		data := v.Data.bytes(t)
		for _, piece := range pieces(i, v.Piece) {
			if got := cuts(newChunker(v.MinSize, v.MaxSize), data, piece); !slices.Equal(got, v.Chunks) {
				t.Errorf("case %d: chunks of %v bytes in pieces of %d, want %v", i, got, piece, v.Chunks)
			}
		}
	}
}

// pieces is what size of pieces to try for a case: other ones than its own for the first.
func pieces(i, own int) []int {
	if i == 0 {
		return []int{own, 99_991}
	}
	return []int{own}
}

// cuts gives data to a chunker in pieces and returns the sizes of the chunks.
func cuts(c *Chunker, data []byte, piece int) (sizes []int) {
	size := 0
	for p := range slices.Chunk(data, max(piece, 1)) {
		for len(p) > 0 {
			n, end := c.Next(p)
			p, size = p[n:], size+n
			if end {
				sizes, size = append(sizes, size), 0
			}
		}
	}
	if size > 0 {
		sizes = append(sizes, size)
	}
	return sizes
}
