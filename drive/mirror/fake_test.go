package mirror

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
)

// fake is a source whose entries are whatever they are.
type fake struct {
	entries []entry
	data    map[string]string
	open_   func(entry) (content, entry, error)
	listed  func() // called before the listing
}

func (f *fake) String() string                                  { return "fake" }
func (f *fake) source(context.Context, Options) (source, error) { return f, nil }
func (f *fake) target(context.Context, Options) (target, error) { return nil, errors.New("a source") }
func (f *fake) watch(context.Context, Options) (watcher, error) { return nil, errors.New("no") }
func (f *fake) close() error                                    { return nil }
func (f *fake) lookup(_ context.Context, p string, _ int64) ([]byte, error) {
	if s, ok := f.data[p]; ok {
		return []byte(s), nil
	}
	return nil, fs.ErrNotExist
}

func (f *fake) list(context.Context, string, func(string) bool) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		if f.listed != nil {
			f.listed()
		}
		slices.SortFunc(f.entries, func(a, b entry) int { return strings.Compare(a.path, b.path) })
		for _, e := range f.entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (f *fake) open(_ context.Context, e entry) (content, entry, error) {
	if f.open_ != nil {
		return f.open_(e)
	}
	return stringContent{strings.NewReader(f.data[e.path])}, e, nil
}

type stringContent struct{ io.Reader }

func (stringContent) Close() error     { return nil }
func (stringContent) unchanged() error { return nil }

// add puts a file into a fake.
func (f *fake) add(path, data string) {
	if f.data == nil {
		f.data = map[string]string{}
	}
	f.data[path] = data
	f.entries = append(f.entries, entry{path: path, size: int64(len(data))})
}

// contents of a file that fail after some bytes, for a while.
type failing struct {
	*bytes.Reader
	left int
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, f.err
	}
	n, err := f.Reader.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}
func (f *failing) Close() error     { return nil }
func (f *failing) unchanged() error { return nil }
