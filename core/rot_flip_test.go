package core_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// flipBit flips one bit of a file, or of a record or block beneath its checksum.
func (r *rotStore) flipBit(mem *vfs.MemFS, rng *rand.Rand) (what, class string, err error) {
	if rng.IntN(2) == 0 {
		path := r.files[rng.IntN(len(r.files))]
		return path, rotFileClass(path), flipFile(mem, path, rng)
	}
	classes := make([]string, 0, len(r.rows))
	for class := range r.rows {
		classes = append(classes, class)
	}
	slices.Sort(classes)
	class = classes[rng.IntN(len(classes))]
	row := r.rows[class][rng.IntN(len(r.rows[class]))]
	return fmt.Sprintf("%s %s", class, row.key), class, r.flipRow(mem, row, rng)
}

func rotFileClass(path string) string {
	folder, name, _ := strings.Cut(strings.TrimPrefix(path, crashDir+"/"), "/")
	switch {
	case folder != "records":
		return "file " + folder
	case strings.HasSuffix(name, ".sst"):
		return "file records/sst"
	}
	return "file records/" + strings.SplitN(name, "-", 2)[0]
}

func flipFile(mem *vfs.MemFS, path string, rng *rand.Rand) error {
	f, err := mem.Open(path)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	f.Close()
	data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
	w, err := mem.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer w.Close()
	_, err = w.Write(data)
	return err
}

// flipRow writes a record or a block anew, with a bit flipped and the checksum that it had.
func (r *rotStore) flipRow(mem *vfs.MemFS, row rotRow, rng *rand.Rand) error {
	e, err := pebble.OpenEngine(crashDir, r.world.disk.options(mem))
	if err != nil {
		return err
	}
	view, err := e.BlockReader()
	if err != nil {
		return err
	}
	op := datastore.Op{Kind: datastore.OpSet, Key: row.key}
	if row.block {
		op.Kind = datastore.OpSetBlock
		op.Value, err = view.Block(row.key)
		op.Sum = datastore.Checksum(row.key, op.Value)
	} else {
		op.Value, err = view.Get(row.key)
	}
	if err != nil {
		return err
	}
	op.Value[rng.IntN(len(op.Value))] ^= 1 << rng.IntN(8)
	if err := view.Close(); err != nil {
		return err
	}
	if err := e.Commit(&datastore.Batch{Ops: []datastore.Op{op}, Bytes: len(op.Value)}, true); err != nil {
		return err
	}
	return e.Close()
}
