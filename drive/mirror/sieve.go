package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strings"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// maxIgnoreFile is the greatest size of an ignore file, in bytes.
const maxIgnoreFile = 64 << 10

// sieve tells what is concerned by a run. It is for one goroutine.
type sieve struct {
	from   source
	filter func(path string, folder bool) bool
	files  bool // there may be ignore files
	own    []gitignore.Pattern

	patterns map[string][]gitignore.Pattern // by folder: its own and those of the folders above
	hides    map[string]bool                // by folder
	err      error                          // an ignore file could not be read
}

func newSieve(from source, o Options) *sieve {
	return &sieve{
		from: from, filter: o.Filter, files: !o.NoIgnoreFiles, own: parseIgnore(strings.Join(o.Ignore, "\n"), nil),
		patterns: map[string][]gitignore.Pattern{}, hides: map[string]bool{},
	}
}

// maxRemembered bounds what a sieve remembers of folders.
const maxRemembered = 1 << 14

// hides tells whether a path is left out, itself or with a folder above it.
func (s *sieve) hidden(ctx context.Context, p string, folder bool) bool {
	if s.err != nil || p == "" {
		return s.err != nil
	}
	if folder {
		if hides, ok := s.hides[p]; ok {
			return hides
		}
	}
	hides := s.hidden(ctx, parent(p), true) || s.filter != nil && !s.filter(p, folder) || s.ignored(ctx, p, folder)
	if folder {
		if len(s.hides) >= maxRemembered {
			clear(s.hides)
		}
		s.hides[p] = hides
	}
	return hides
}

// ignored tells whether the last pattern that fits leaves a path out.
func (s *sieve) ignored(ctx context.Context, p string, folder bool) bool {
	above := s.above(ctx, parent(p))
	if len(above) == 0 && len(s.own) == 0 {
		return false
	}
	parts := strings.Split(p, "/")
	for _, list := range [][]gitignore.Pattern{s.own, above} {
		for i := len(list) - 1; i >= 0; i-- {
			if m := list[i].Match(parts, folder); m != gitignore.NoMatch {
				return m == gitignore.Exclude
			}
		}
	}
	return false
}

// above returns the patterns that count in a folder.
func (s *sieve) above(ctx context.Context, folder string) []gitignore.Pattern {
	if !s.files || s.err != nil {
		return nil
	}
	if list, ok := s.patterns[folder]; ok {
		return list
	}
	var list []gitignore.Pattern
	var domain []string
	if folder != "" {
		above := s.above(ctx, parent(folder))
		list = above[:len(above):len(above)]
		domain = strings.Split(folder, "/")
	}
	text, err := s.from.lookup(ctx, path.Join(folder, IgnoreFile), maxIgnoreFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		s.err = fmt.Errorf("mirror: reading %q: %w", path.Join(folder, IgnoreFile), err)
		return nil
	}
	if len(s.patterns) >= maxRemembered {
		clear(s.patterns)
	}
	list = append(list, parseIgnore(string(text), domain)...)
	s.patterns[folder] = list
	return list
}

func parseIgnore(text string, domain []string) (list []gitignore.Pattern) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			list = append(list, gitignore.ParsePattern(line, domain))
		}
	}
	return list
}

// sift leaves out of a listing what is not concerned.
func (s *sieve) sift(ctx context.Context, list iter.Seq2[entry, error]) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for e, err := range list {
			if err == nil && e.note == nil {
				e.note = checkPath(e.path)
			}
			if err == nil && checkPath(e.path) == nil && s.hidden(ctx, e.path, false) {
				if s.err != nil {
					yield(entry{}, s.err)
					return
				}
				continue
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if s.err != nil {
			yield(entry{}, s.err)
		}
	}
}

// parent returns the folder of a path, "" for the root.
func parent(p string) string {
	i := strings.LastIndexByte(p, '/')
	return p[:max(i, 0)]
}
