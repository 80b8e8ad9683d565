package drive

import (
	"encoding/json"
	"io/fs"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive/blobs"
)

// Entry is what a drive has at a path: a file, a link, or a mount.
type Entry struct {
	// Path is absolute. In the listing of a drive that somebody else wrote it can be anything.
	Path string
	// Seq is the block of the drive's bee that put the entry.
	Seq uint64
	// Executable is the executable bit of a file.
	Executable bool
	// Link is the target of a symbolic link, "" for all else.
	Link string
	// Blob says where the contents are; nil for a link, and for an entry that was put without contents.
	Blob *blobs.ID
	// Metadata is any JSON text, nil for null. See Meta for what this package keeps there.
	Metadata json.RawMessage

	// Mount is set where another drive is mounted.
	Mount *Mount
	// Drive is the key of the drive that the entry lies in, and Inner its path there.
	Drive keys.Key
	Inner string
	// Cycle is set in listings that descend into mounts on a mount that leads back to where the listing came from, and Unavailable
	// on one that could not be reached: both are not descended into.
	Cycle       bool
	Unavailable error

	badMount bool // the metadata speaks of a mount, but says nothing that can be mounted
}

// IsLink tells whether the entry is a symbolic link.
func (e *Entry) IsLink() bool { return e.Link != "" }

// Size returns the bytes of the contents. It is not known without reading it for a blob with a block map; see Drive.Size.
func (e *Entry) Size() (n int64, known bool) {
	if e.Blob == nil {
		return 0, true
	}
	return int64(e.Blob.ByteLength), !e.Blob.BlockMap || e.Blob.ByteLength == 0
}

// kept is what this package writes into the metadata of an entry.
type kept struct {
	MTime *json.Number `json:"mtime"`
	Mode  *json.Number `json:"mode"`
}

// ModTime returns the time that the metadata has as "mtime", in milliseconds since 1970, or the zero time.
func (e *Entry) ModTime() time.Time {
	if k := e.kept(); k.MTime != nil {
		if ms, err := k.MTime.Float64(); err == nil && ms > -8.64e15 && ms < 8.64e15 {
			return time.UnixMilli(int64(ms))
		}
	}
	return time.Time{}
}

// Mode returns the permissions that the metadata has as "mode", else 0644, or 0755 when the executable bit is set; with fs.ModeSymlink
// for a link and fs.ModeDir for a mount.
func (e *Entry) Mode() fs.FileMode {
	mode := fs.FileMode(0o644)
	if e.Executable {
		mode = 0o755
	}
	switch {
	case e.Mount != nil:
		return fs.ModeDir | 0o755
	case e.IsLink():
		return fs.ModeSymlink | 0o777
	}
	if k := e.kept(); k.Mode != nil {
		if n, err := k.Mode.Int64(); err == nil && n >= 0 {
			mode = fs.FileMode(n) & fs.ModePerm
		}
	}
	return mode
}

func (e *Entry) kept() (k kept) {
	if len(e.Metadata) > 0 {
		if json.Unmarshal(e.Metadata, &k) != nil {
			return kept{}
		}
	}
	return k
}

// Meta is what is kept with a file beside its contents. The zero value keeps nothing, as JavaScript does.
type Meta struct {
	Executable bool
	// Metadata is any JSON text. It is stored as JavaScript prints it: without space, the order of names kept.
	Metadata json.RawMessage
	// ModTime and Mode are kept as the metadata {"mtime":MILLISECONDS,"mode":PERMISSIONS}, in decimal, each if it is not zero. They
	// cannot go with Metadata.
	ModTime time.Time
	Mode    fs.FileMode
}
