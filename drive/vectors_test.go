package drive_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/crypto/blake2b"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/blobs"
	"github.com/hypernode/hypernode/internal/vectors"
)

type vectorFile struct {
	Scenarios    []scenario
	LegacyHeader struct {
		DBKey, Header, BlobsKey, Expected, DerivedWouldBe vectors.Hex
	}
}

type scenario struct {
	Name          string
	PrimaryKey    vectors.Hex
	Namespace     []string
	EncryptionKey vectors.Hex
	DB, Blobs     coreVector
	Version       uint64
	Ops           []operation
	After         [][2]uint64
	Queries       []query
}

type coreVector struct {
	Key, DiscoveryKey, Manifest, PublicKey, TreeHash vectors.Hex
	ID                                               string
	Length, ByteLength, Fork                         uint64
	Blocks, BlockHash8                               []vectors.Hex
	BlockSizes                                       []int
}

type operation struct {
	Op         string
	Path       string
	Data       generator
	Executable bool
	Metadata   json.RawMessage
	Target     string
	Chunks     []generator
	Dedup      bool
	Entry      *rawEntry
	Version    uint64
	Ops        []operation
}

// rawEntry is the value of an entry.
type rawEntry struct {
	Executable bool
	Linkname   *string
	Blob       *blobs.ID
	Metadata   json.RawMessage
}

func (r *rawEntry) entry() drive.Entry {
	e := drive.Entry{Executable: r.Executable, Blob: r.Blob, Metadata: r.Metadata}
	if r.Linkname != nil {
		e.Link = *r.Linkname
	}
	return e
}

type query struct {
	Q           string
	Version     uint64
	Left, Right uint64
	Folder      string
	Path        string
	Ignore      json.RawMessage
	Res         json.RawMessage
	List        []json.RawMessage
	BlobsLength uint64
	Opts        struct {
		Follow             bool
		Start, End, Length *int64
	}
	Len   *int
	Hash  string
	Null  bool
	Error string
}

func loadVectors(t *testing.T) (v vectorFile) {
	vectors.Load(t, "drive.json", &v)
	if len(v.Scenarios) == 0 {
		t.Fatal("golden data: no scenarios")
	}
	return v
}

func TestVectorsScenarios(t *testing.T) {
	for _, s := range loadVectors(t).Scenarios {
		t.Run(s.Name, func(t *testing.T) {
			db := memory(t)
			store := openStore(t, db, corestore.Options{PrimaryKey: keys.PrimaryKey(s.PrimaryKey.Array32(t))})
			d := s.open(t, store)
			s.write(t, d)
			s.DB.check(t, "entries", store, d.Key())
			b, err := d.Blobs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.Blobs.check(t, "contents", store, b.Core().Key())
			s.ask(t, d)
			// The same drive, opened by its key: it can be read, and written.
			again := drive.Key(d.Key())
			copy(again.Encryption[:], s.EncryptionKey)
			s.ask(t, create(t, store, again))
		})
	}
}

// open opens the drive of the scenario: the last namespace by its name, or the one of the session.
func (s *scenario) open(t *testing.T, store *corestore.Store) *drive.Drive {
	ref := drive.Own()
	for i, name := range s.Namespace {
		if i == len(s.Namespace)-1 {
			ref = drive.Name(name)
			break
		}
		var err error
		if store, err = store.Namespace(name); err != nil {
			t.Fatal(err)
		}
	}
	copy(ref.Encryption[:], s.EncryptionKey)
	return create(t, store, ref)
}

func (s *scenario) write(t *testing.T, d *drive.Drive) {
	if d.Version() != 1 {
		t.Errorf("a fresh drive has version %d", d.Version())
	}
	for i, op := range s.Ops {
		if err := op.do(t, d); err != nil {
			t.Fatalf("operation %d, %s %s: %v", i, op.Op, op.Path, err)
		}
		b, err := d.Blobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]uint64{d.Core().Head().Length, b.Core().Head().Length}; got != s.After[i] {
			t.Fatalf("operation %d, %s: lengths %v, want %v", i, op.Op, got, s.After[i])
		}
	}
	if d.Version() != s.Version {
		t.Errorf("version %d, want %d", d.Version(), s.Version)
	}
}

func (op *operation) meta() drive.Meta {
	return drive.Meta{Executable: op.Executable, Metadata: op.Metadata}
}

func (op *operation) do(t *testing.T, d *drive.Drive) error {
	switch ctx := t.Context(); op.Op {
	case "put":
		return d.WriteFile(ctx, op.Path, op.Data.bytes(t), op.meta())
	case "write":
		w, err := d.CreateWith(ctx, op.Path, op.meta(), blobs.WriterOptions{Dedup: op.Dedup})
		if err != nil {
			return err
		}
		for _, c := range op.Chunks {
			if err := w.WriteBlock(c.bytes(t)); err != nil {
				return err
			}
		}
		return w.Close()
	case "symlink":
		return d.Symlink(ctx, op.Path, op.Target, op.meta())
	case "del":
		return d.Remove(ctx, op.Path)
	case "putEntry":
		return d.SetEntry(ctx, op.Path, op.Entry.entry())
	case "truncate":
		return d.Truncate(ctx, op.Version)
	case "batch":
		return d.Update(ctx, func(tx *drive.Batch) error {
			for _, o := range op.Ops {
				if err := o.within(t, tx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return fmt.Errorf("golden data: operation %q", op.Op)
}

// within does one operation of a batch.
func (op *operation) within(t *testing.T, tx *drive.Batch) error {
	switch op.Op {
	case "put":
		return tx.WriteFile(op.Path, op.Data.bytes(t), op.meta())
	case "del":
		return tx.Remove(op.Path)
	case "symlink":
		return tx.Symlink(op.Path, op.Target, op.meta())
	case "putEntry":
		return tx.SetEntry(op.Path, op.Entry.entry())
	}
	return fmt.Errorf("golden data: operation %q in a batch", op.Op)
}

// check compares a core with what JavaScript wrote, as it is stored: also an encrypted one is opened without its key.
func (v *coreVector) check(t *testing.T, what string, store *corestore.Store, name keys.Key) {
	t.Helper()
	ref := corestore.Key(name)
	ref.ReadOnly = true
	c, err := store.Open(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	h, hash, key, dkey := c.Head(), c.TreeHash(), c.Key(), c.DiscoveryKey()
	if h.Fork != v.Fork || h.Length != v.Length {
		t.Fatalf("%s: %s, want fork %d, %d blocks, %d bytes", what, h, v.Fork, v.Length, v.ByteLength)
	}
	for name, pair := range map[string][2][]byte{"tree hash": {hash[:], v.TreeHash}, "key": {key[:], v.Key},
		"discovery key": {dkey[:], v.DiscoveryKey}, "manifest": {c.Manifest().Encode(), v.Manifest},
		"public key": {c.Manifest().Signers[0].PublicKey[:], v.PublicKey}} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Errorf("%s: the %s is %x, want %x", what, name, pair[0], pair[1])
		}
	}
	if v.ID != "" && key.String() != v.ID {
		t.Errorf("%s: the id is %s, want %s", what, key, v.ID)
	}
	i, size := 0, uint64(0)
	for b, err := range c.Blocks(t.Context(), 0, h.Length) {
		if err != nil {
			t.Fatal(err)
		}
		if sum := blake2b.Sum256(b); v.Blocks != nil && !bytes.Equal(b, v.Blocks[i]) ||
			v.BlockHash8 != nil && !bytes.Equal(sum[:8], v.BlockHash8[i]) || v.BlockSizes != nil && len(b) != v.BlockSizes[i] {
			t.Errorf("%s: block %d is another than it should be: %.300q", what, i, b)
		}
		i, size = i+1, size+uint64(len(b))
	}
	if v.ByteLength != h.ByteLength && v.ByteLength != size-8*h.Length {
		t.Errorf("%s: %d bytes, want %d", what, size, v.ByteLength)
	}
}

// ask runs the scenario's queries.
func (s *scenario) ask(t *testing.T, d *drive.Drive) {
	for i := range s.Queries {
		q := &s.Queries[i]
		if err := q.run(t, d); err != nil {
			t.Errorf("query %d, %s %s%s: %v", i, q.Q, q.Folder, q.Path, err)
		}
	}
}

func (q *query) run(t *testing.T, d *drive.Drive) error {
	switch q.Q {
	case "entries":
		return q.entries(t, d)
	case "list":
		o := drive.ListOptions{}
		if q.Ignore != nil {
			o.Ignore = q.ignore(t)
		}
		return q.equal(listed(t, d, q.Folder, o))
	case "readdir":
		return q.equal(names(t, d, q.Folder))
	case "listShallow":
		return nil // what JavaScript has of it is wrong in places, and nothing else is given
	case "get":
		return q.get(t, d)
	case "normalize":
		got, err := drive.Clean(q.Path)
		if q.Error != "" {
			if !errors.Is(err, drive.ErrPath) {
				return fmt.Errorf("%q, %v, want ErrPath", got, err)
			}
			return nil
		}
		return errors.Join(err, q.equal(got))
	case "checkout":
		return q.checkout(t, d)
	case "diff":
		return q.diff(t, d)
	}
	return fmt.Errorf("golden data: no such query")
}

// equal compares a value with the result that is due, as JSON.
func (q *query) equal(got any) error {
	a, err := json.Marshal(got)
	if err != nil {
		return err
	}
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(q.Res, &y)); err != nil {
		return err
	}
	if list, ok := y.([]any); ok && len(list) == 0 && x == nil {
		return nil
	}
	b, _ := json.Marshal(x)
	want, _ := json.Marshal(y)
	if !bytes.Equal(b, want) {
		return fmt.Errorf("%.400s, want %.400s", b, want)
	}
	return nil
}

func (q *query) entries(t *testing.T, d *drive.Drive) error {
	if q.Version != d.Version() {
		d = d.At(q.Version)
	}
	var want []json.RawMessage
	if err := json.Unmarshal(q.Res, &want); err != nil {
		return err
	}
	i := 0
	for e, err := range d.List(t.Context(), "/", drive.ListOptions{}) {
		if err != nil || i == len(want) {
			return fmt.Errorf("entry %d: %v, of %d", i, err, len(want))
		}
		var seq uint64
		var path string
		var value rawEntry
		if err := json.Unmarshal(want[i], &[]any{&seq, &path, &value}); err != nil {
			return err
		}
		w := value.entry()
		if e.Seq != seq || e.Path != path || e.Executable != w.Executable || e.Link != w.Link ||
			(e.Blob == nil) != (w.Blob == nil) || e.Blob != nil && *e.Blob != *w.Blob || !sameJSON(e.Metadata, w.Metadata) {
			return fmt.Errorf("entry %d: %+v, want %s", i, e, want[i])
		}
		i++
	}
	if i != len(want) {
		return fmt.Errorf("%d entries, want %d", i, len(want))
	}
	return nil
}

func sameJSON(a, b json.RawMessage) bool {
	norm := func(r json.RawMessage) string {
		var v any
		if r == nil || json.Unmarshal(r, &v) != nil {
			return "null"
		}
		out, _ := json.Marshal(v)
		return string(out)
	}
	return norm(a) == norm(b)
}

func (q *query) ignore(t *testing.T) func(string) bool {
	var list []string
	if json.Unmarshal(q.Ignore, &list) != nil {
		var one string
		if err := json.Unmarshal(q.Ignore, &one); err != nil {
			t.Fatal(err)
		}
		list = []string{one}
	}
	ignore, err := drive.IgnorePaths(list...)
	if err != nil {
		t.Fatal(err)
	}
	return ignore
}

func (q *query) get(t *testing.T, d *drive.Drive) error {
	look := d.Entry
	if q.Opts.Follow {
		look = d.Stat
	}
	e, err := look(t.Context(), q.Path)
	switch {
	case q.Error != "":
		if q.Error == "Recursive symlink" && errors.Is(err, drive.ErrLinks) {
			return nil
		}
		return fmt.Errorf("%v, want %q", err, q.Error)
	case q.Null:
		if err == nil && e.Blob != nil || err != nil && !errors.Is(err, drive.ErrNotFound) {
			return fmt.Errorf("%+v, %w, want nothing", e, err)
		}
		return nil
	case err != nil:
		return err
	}
	f, err := d.OpenEntry(t.Context(), e)
	if err != nil {
		return err
	}
	defer f.Close()
	start, n := int64(0), int64(-1)
	if q.Opts.Start != nil {
		start = *q.Opts.Start
	}
	if q.Opts.End != nil {
		n = *q.Opts.End - start + 1
	}
	if q.Opts.Length != nil {
		n = *q.Opts.Length
	}
	data, err := readRange(f, start, n)
	if err != nil || len(data) != *q.Len || hashOf(data) != q.Hash {
		return fmt.Errorf("%d bytes, %w, want %d", len(data), err, *q.Len)
	}
	if start == 0 && n < 0 {
		whole, err := d.ReadFile(t.Context(), q.Path)
		if err != nil || !bytes.Equal(whole, data) {
			return fmt.Errorf("ReadFile: %d bytes, %w", len(whole), err)
		}
	}
	return nil
}

func (q *query) checkout(t *testing.T, d *drive.Drive) error {
	old := d.At(q.Version)
	i := 0
	for e, err := range old.List(t.Context(), "/", drive.ListOptions{}) {
		if err != nil || i == len(q.List) {
			return fmt.Errorf("entry %d: %v, of %d", i, err, len(q.List))
		}
		var seq uint64
		var path string
		if err := json.Unmarshal(q.List[i], &[]any{&seq, &path}); err != nil {
			return err
		}
		if e.Seq != seq || e.Path != path {
			return fmt.Errorf("entry %d: %d %s, want %s", i, e.Seq, e.Path, q.List[i])
		}
		i++
	}
	n, err := old.BlobsLength(t.Context())
	if err != nil || i != len(q.List) || n != q.BlobsLength {
		return fmt.Errorf("%d entries of %d, %d blocks of contents of %d, %w", i, len(q.List), n, q.BlobsLength, err)
	}
	return nil
}

func (q *query) diff(t *testing.T, d *drive.Drive) error {
	got := [][]any{}
	for diff, err := range d.At(q.Left).Diff(t.Context(), d.At(q.Right), q.Folder, drive.DiffOptions{}) {
		if err != nil {
			return err
		}
		seq := func(e *drive.Entry) any {
			if e == nil {
				return nil
			}
			return e.Seq
		}
		got = append(got, []any{seq(diff.Left), seq(diff.Right), diff.Path()})
	}
	return q.equal(got)
}

func TestVectorsLegacyHeader(t *testing.T) {
	v := loadVectors(t).LegacyHeader
	store := newStore(t)
	c, err := store.Open(t.Context(), corestore.Name("db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Append(t.Context(), v.Header); err != nil {
		t.Fatal(err)
	}
	d := create(t, store, drive.Own())
	b, err := d.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if key := b.Core().Key(); !bytes.Equal(key[:], v.BlobsKey) || !bytes.Equal(key[:], v.Expected) {
		t.Errorf("the contents are in %x, want %s", key, v.BlobsKey)
	}
}

// TestVectorsStores checks the keys of drives, and of their contents, in the namespaces of stores.
func TestVectorsStores(t *testing.T) {
	var v struct {
		Stores []struct {
			PrimaryKey vectors.Hex
			Namespaces []struct {
				Path                    []name
				DriveKey, DriveBlobsKey vectors.Hex
			}
		}
	}
	vectors.Load(t, "corestore.json", &v)
	if len(v.Stores) == 0 {
		t.Fatal("golden data: no stores")
	}
	for _, s := range v.Stores {
		store := openStore(t, memory(t), corestore.Options{PrimaryKey: keys.PrimaryKey(s.PrimaryKey.Array32(t))})
		if len(s.Namespaces) == 0 {
			t.Fatal("golden data: no namespaces")
		}
		for _, ns := range s.Namespaces {
			one := scenario{}
			for _, n := range ns.Path {
				one.Namespace = append(one.Namespace, string(n))
			}
			d := one.open(t, store)
			b, err := d.Blobs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			key, content := d.Key(), b.Core().Key()
			if !bytes.Equal(key[:], ns.DriveKey) || !bytes.Equal(content[:], ns.DriveBlobsKey) {
				t.Errorf("%q: %s and %s, want %s and %s", ns.Path, key.Hex(), content.Hex(), ns.DriveKey, ns.DriveBlobsKey)
			}
		}
	}
}

// name is a text, or {"hex":…} where it is none.
type name string

func (n *name) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, (*string)(n)) == nil {
		return nil
	}
	var raw struct{ Hex vectors.Hex }
	err := json.Unmarshal(b, &raw)
	*n = name(raw.Hex)
	return err
}

// TestVectorsContentManifests derives the manifest of the contents from all kinds of manifests.
func TestVectorsContentManifests(t *testing.T) {
	var v struct {
		Manifests []struct {
			Encoded, Key, ContentManifest, ContentKey vectors.Hex
			ContentNamespaces                         []vectors.Hex
		}
	}
	vectors.Load(t, "corestore.json", &v)
	if len(v.Manifests) == 0 {
		t.Fatal("golden data: no manifests")
	}
	for i, c := range v.Manifests {
		m, err := manifest.Decode(c.Encoded)
		if err != nil {
			t.Fatal(err)
		}
		got, err := drive.ContentManifest(keys.Key(c.Key.Array32(t)), m)
		if c.ContentKey == nil {
			if !errors.Is(err, drive.ErrNoDrive) {
				t.Errorf("case %d: %v, want ErrNoDrive", i, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var spaces []string
		for _, s := range got.Signers {
			spaces = append(spaces, fmt.Sprintf("%x", s.Namespace))
		}
		var want []string
		for _, n := range c.ContentNamespaces {
			want = append(want, n.String())
		}
		if key := got.Key(); !bytes.Equal(got.Encode(), c.ContentManifest) || !bytes.Equal(key[:], c.ContentKey) || !slices.Equal(spaces, want) {
			t.Errorf("case %d: %x, want %s", i, got.Encode(), c.ContentManifest)
		}
	}
}
