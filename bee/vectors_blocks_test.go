package bee

import (
	"bytes"
	"encoding/hex"
	"testing"

	"golang.org/x/crypto/blake2b"
)

// TestVectorsBlocks plays every scenario and compares the core that comes of it, block by block.
func TestVectorsBlocks(t *testing.T) {
	g := loadGolden(t)
	notEmpty(t, "scenarios", g.Scenarios)
	for i := range g.Scenarios {
		s := &g.Scenarios[i]
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			s.compare(t, s.play(t, g))
		})
	}
}

func (s *scenario) compare(t *testing.T, b *Bee) {
	c := b.Core()
	i := 0
	for block, err := range c.Blocks(t.Context(), 0, c.Head().Length) {
		if err != nil {
			t.Fatal(err)
		}
		s.compareBlock(t, i, block)
		i++
	}
	if n := max(len(s.Blocks), len(s.BlockHash8)); n == 0 || n != i {
		t.Fatalf("%d blocks, want %d", i, n)
	}
	hash, key, head := c.TreeHash(), c.Key(), c.Head()
	for _, x := range []struct {
		what      string
		got, want []byte
	}{{"key", key[:], s.CoreKey}, {"tree hash", hash[:], s.TreeHash}, {"signature", c.Signature(), s.Signature}} {
		if !bytes.Equal(x.got, x.want) {
			t.Errorf("%s is %x, want %x", x.what, x.got, x.want)
		}
	}
	if head.Length != s.Length || head.ByteLength != s.ByteLength {
		t.Errorf("%v, want %d blocks and %d bytes", head, s.Length, s.ByteLength)
	}
}

func (s *scenario) compareBlock(t *testing.T, i int, block []byte) {
	t.Helper()
	if i < len(s.Blocks) && !bytes.Equal(block, s.Blocks[i]) {
		t.Fatalf("block %d is\n%x, want\n%v", i, block, s.Blocks[i])
	}
	if sum := blake2b.Sum256(block); i < len(s.BlockHash8) && !bytes.Equal(sum[:8], s.BlockHash8[i]) {
		t.Fatalf("block %d (%s) has hash %x, want %v", i, hex.EncodeToString(block), sum[:8], s.BlockHash8[i])
	}
}

// TestVectorsDecode reads the blocks and writes them again from what was read.
func TestVectorsDecode(t *testing.T) {
	g := loadGolden(t)
	seen := 0
	for i := range g.Scenarios {
		s := &g.Scenarios[i]
		for seq, raw := range s.Blocks {
			if seen++; seq == 0 {
				h, err := decodeHeader(raw)
				if err != nil || !bytes.Equal(h.encode(), raw) {
					t.Errorf("%s: the header %v reads as %+v (%v)", s.Name, raw, h, err)
				}
				continue
			}
			if again, err := recode(uint64(seq), raw); err != nil || !bytes.Equal(again, raw) {
				t.Fatalf("%s: block %d is %v and writes as %x (%v)", s.Name, seq, raw, again, err)
			}
		}
	}
	if seen == 0 {
		t.Fatal("golden data: no blocks")
	}
}

// recode decodes a block and encodes it again.
func recode(seq uint64, raw []byte) ([]byte, error) {
	b, err := decodeBlock(seq, raw)
	if err != nil {
		return nil, err
	}
	levels, err := b.layout()
	if err != nil {
		return nil, err
	}
	p := &pending{key: b.key, value: b.value}
	for i := range levels {
		l := &levels[i]
		// A node that nothing leads to any more may name later blocks.
		var n node
		if err := n.decode(b.index[l.start:l.end]); err != nil {
			return nil, err
		}
		p.levels = append(p.levels, &treeLink{node: thaw(&n)})
	}
	return p.encode(), nil
}
