package mirror

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

func (f *folder) check(e entry) error {
	if err := checkPath(e.path); err != nil {
		return err
	}
	for part := range strings.SplitSeq(e.path, "/") {
		if len(part) > maxPart {
			return fmt.Errorf("%w: a part of more than %d bytes", ErrName, maxPart)
		}
		if f.windows {
			if err := checkWindows(part); err != nil {
				return err
			}
		}
	}
	if !e.isLink() {
		return nil
	}
	if !f.options.Links {
		return fmt.Errorf("%w: links were not asked for", ErrLink)
	}
	return checkLink(e.path, e.link, f.windows)
}

// checkLink says why a link is not written. The path must have been checked.
func checkLink(at, link string, windows bool) error {
	if strings.ContainsRune(link, 0) || len(link) > maxPath || filepath.IsAbs(link) || path.IsAbs(link) {
		return fmt.Errorf("%w: not a relative path", ErrLink)
	}
	if strings.ContainsRune(link, '\\') || windows && strings.ContainsRune(link, ':') {
		return fmt.Errorf("%w: characters that mean another place to some systems", ErrLink)
	}
	// Steps up are counted from the link's own folder, to which no link leads. A step up from anywhere else may start from where
	// another link leads: its length says nothing.
	height, down := strings.Count(at, "/"), false
	for part := range strings.SplitSeq(link, "/") {
		switch {
		case part == "" || part == ".":
		case part != "..":
			down = true
		case down:
			return fmt.Errorf("%w: it goes up after it went down", ErrLink)
		default:
			if height--; height < 0 {
				return fmt.Errorf("%w: it leads out of the folder", ErrLink)
			}
		}
	}
	return nil
}

// compare holds a file on disk against one that is wanted. Permissions that the system may mask are not compared.
func (f *folder) compare(want, have entry) (verdict, bool) {
	if want.isLink() || have.isLink() {
		if want.link == have.link {
			return equal, true
		}
		return unequal, false
	}
	same := f.windows || want.executable == have.executable
	switch {
	case want.size >= 0 && want.size != have.size:
		return unequal, false
	case want.time.IsZero():
		return unknown, same
	case sameTime(want.time, have.time):
		return equal, same
	default:
		return unknown, false
	}
}
