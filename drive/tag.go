package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strconv"

	"github.com/hypernode/hypernode/bee"
)

// Tags are kept in the drive's bee beside the entries, where other implementations do not look: the key of a name is "tags", a zero
// byte, and the name; the value is {"version":N}.
var tags = bee.NewPrefix("tags")

// MaxTag is the greatest length of a tag's name in bytes.
const MaxTag = 255

// Tag is a name for a version.
type Tag struct {
	Name    string
	Version uint64
}

func checkTag(name string) error {
	if name == "" || len(name) > MaxTag {
		return fmt.Errorf("%w: a name of %d bytes, 1 to %d are allowed", ErrTag, len(name), MaxTag)
	}
	return nil
}

// Tag names a version, 0 being the present one. A name that is taken names this version from now on. The tag is seen by all readers,
// from the version on that it makes.
func (d *Drive) Tag(ctx context.Context, name string, version uint64) error {
	if err := errors.Join(d.writable(), checkTag(name)); err != nil {
		return err
	}
	if err := d.s.known(ctx); err != nil {
		return err
	}
	if version == 0 {
		version = d.Version()
	}
	if version > d.Version() {
		return fmt.Errorf("%w: %d of %d", ErrVersion, version, d.Version())
	}
	value := append(strconv.AppendUint([]byte(`{"version":`), version, 10), '}')
	return d.tree.Put(ctx, tags.Key(name), value)
}

// Untag removes a tag. One that is not there is not an error.
func (d *Drive) Untag(ctx context.Context, name string) error {
	if err := errors.Join(d.writable(), checkTag(name)); err != nil {
		return err
	}
	if err := d.s.known(ctx); err != nil {
		return err
	}
	return d.tree.Delete(ctx, tags.Key(name))
}

// Tagged returns the version that a tag names. It fails with ErrTag, which is an fs.ErrNotExist when there is no such tag.
func (d *Drive) Tagged(ctx context.Context, name string) (uint64, error) {
	if err := errors.Join(d.check(), checkTag(name)); err != nil {
		return 0, err
	}
	e, err := d.tree.Get(ctx, tags.Key(name))
	if errors.Is(err, bee.ErrNotFound) {
		return 0, fmt.Errorf("%w: %q: %w", ErrTag, name, fs.ErrNotExist)
	}
	if err != nil {
		return 0, err
	}
	t, err := decodeTag(name, e)
	return t.Version, err
}

// Tags yields the tags in the order of the bytes of their names. After an error it ends.
func (d *Drive) Tags(ctx context.Context) iter.Seq2[Tag, error] {
	return func(yield func(Tag, error) bool) {
		if err := d.check(); err != nil {
			yield(Tag{}, err)
			return
		}
		for e, err := range d.tree.Range(ctx, tags.Range(bee.Range{})) {
			var t Tag
			if err == nil {
				name, _ := tags.Trim(e.Key)
				t, err = decodeTag(string(name), e)
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

// decodeTag reads a tag, which names a version before it.
func decodeTag(name string, e bee.Entry) (Tag, error) {
	var v struct {
		Version uint64 `json:"version"`
	}
	if err := json.Unmarshal(e.Value, &v); err != nil || v.Version == 0 || v.Version > e.Seq {
		return Tag{}, fmt.Errorf("%w: %q has the value %.80q", ErrTag, name, e.Value)
	}
	return Tag{name, v.Version}, nil
}
