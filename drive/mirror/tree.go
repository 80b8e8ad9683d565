package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"
	"unicode"

	"github.com/hypernode/hypernode/drive"
)

// A Tree is a folder or a drive, see Dir, Drive and Folder.
type Tree interface {
	// String names the tree.
	String() string
	// source opens the tree to be read.
	source(ctx context.Context, o Options) (source, error)
	// watch makes a watcher of the tree as a source.
	watch(ctx context.Context, o Options) (watcher, error)
	// target opens the tree to be changed.
	target(ctx context.Context, o Options) (target, error)
}

// A source is a tree as it is read.
type source interface {
	// list yields what stands at a path and below it, "" for everything, in the order of the bytes of the paths. It does not go
	// into folders that skip refuses, and leaves files to the caller. An error ends it: the tree cannot be read.
	list(ctx context.Context, under string, skip func(folder string) bool) iter.Seq2[entry, error]
	// open opens the contents of an entry that list gave, and returns the entry as it is by now.
	open(ctx context.Context, e entry) (content, entry, error)
	// lookup returns the contents of a small file by its path; fs.ErrNotExist where there is none.
	lookup(ctx context.Context, path string, limit int64) ([]byte, error)
	close() error
}

// content is the contents of a file.
type content interface {
	io.ReadCloser
	// unchanged fails with ErrChanging when what was read is not, or may not be, one state of the file.
	unchanged() error
}

// A target is a tree as it is changed. Its methods may be called from several goroutines, apply of a grouped target from one.
type target interface {
	source
	// check says why an entry cannot be written, in which case nothing is tried.
	check(e entry) error
	// compare says whether the present entry has the contents and the attributes of the one wanted, as far as can be told
	// without reading.
	compare(want, have entry) (contents verdict, attributes bool)
	// grouped says that apply is fastest with many writes at a time, and from one goroutine.
	grouped() bool
	// apply makes writes, all or none.
	apply(ctx context.Context, writes []write) error
	// stream writes the contents of one large file, which r reads to its end; a nil check says that they are good.
	stream(ctx context.Context, w write, r io.Reader, check func() error) error
	// remove removes files, and tells of each that could not be. The error ends the run.
	remove(ctx context.Context, es []entry, failed func(entry, error)) error
	// finish is called at the end of a run; whole says that nothing ended it before.
	finish(ctx context.Context, whole bool) error
}

// write is one change of a target.
type write struct {
	want entry
	have *entry // nil if there is none
	// data is the contents, unless keep: the contents are those of have.
	data []byte
	keep bool
}

// verdict says what is known of contents.
type verdict int

const (
	unknown verdict = iota
	equal
	unequal
)

// entry is a file or link of a tree, or something that stands there and is not mirrored.
type entry struct {
	path       string // relative, with slashes; "" only for a note on the whole tree
	size       int64  // -1 if it is not known
	executable bool
	link       string      // the target of a link
	time       time.Time   // of the last change; zero if it is not kept
	mode       fs.FileMode // permissions; 0 if they are not kept
	metadata   json.RawMessage

	// note says why this is not mirrored; nothing at the path, nor below it, is touched in the target.
	note error
	// benign says that the note is no failure.
	benign bool

	info fs.FileInfo  // in a folder
	at   *drive.Entry // in a drive
}

func (e *entry) isLink() bool { return e.link != "" }

// check says why a path cannot be that of a file in any tree: it must be relative, valid UTF-8, without empty parts, ".", "..",
// backslashes and NUL.
func checkPath(path string) error {
	switch {
	case !fs.ValidPath(path) || path == ".":
		return fmt.Errorf("%w: not a path of text without empty parts, \".\" and \"..\"", ErrName)
	case strings.ContainsRune(path, '\\'):
		return fmt.Errorf("%w: a backslash", ErrName)
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("%w: a NUL", ErrName)
	case len(path) > maxPath:
		return fmt.Errorf("%w: longer than %d bytes", ErrName, maxPath)
	case strings.Count(path, "/") >= maxDepth:
		return ErrDepth
	}
	for part := range strings.SplitSeq(path, "/") {
		if isPartial(part) {
			return fmt.Errorf("%w: reserved for files that are not complete", ErrName)
		}
	}
	return nil
}

// Limits of paths, in bytes and in parts.
const (
	maxPath  = 4000
	maxPart  = 255
	maxDepth = 512
)

// checkWindows says why Windows would take a part of a path for another, or for a device.
func checkWindows(part string) error {
	if strings.ContainsAny(part, `<>:"|?*`) || strings.ContainsFunc(part, unicode.IsControl) {
		return fmt.Errorf("%w: a character that this system does not allow", ErrName)
	}
	if strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
		return fmt.Errorf("%w: this system drops the dot or space at the end", ErrName)
	}
	base, _, _ := strings.Cut(strings.ToUpper(part), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return fmt.Errorf("%w: a device on this system", ErrName)
	}
	if r := []rune(base); len(r) == 4 && (string(r[:3]) == "COM" || string(r[:3]) == "LPT") && strings.ContainsRune("0123456789¹²³", r[3]) {
		return fmt.Errorf("%w: a device on this system", ErrName)
	}
	return nil
}

// sameTime tells whether two times are known and in the same millisecond.
func sameTime(a, b time.Time) bool {
	return !a.IsZero() && !b.IsZero() && a.UnixMilli() == b.UnixMilli()
}

// sameMetadata compares metadata as it is stored; null is none.
func sameMetadata(a, b json.RawMessage) bool {
	return bytes.Equal(orNull(a), orNull(b))
}

func orNull(m json.RawMessage) json.RawMessage {
	if len(m) == 0 {
		return json.RawMessage("null")
	}
	return m
}
