package drive

import (
	"fmt"
	"strings"
)

// MaxPath is the greatest length of a path in bytes.
const MaxPath = 64 << 10

// Clean returns the form of a path in which it is a key: absolute, parts between single slashes. A backslash is a slash; "." and
// empty parts are dropped, ".." goes up; what stands for a device or a scheme in front, as in "C:/a", "file:///a" and
// "http://host/a", is dropped too. Nothing else is changed, not letters nor their composition.
//
// It fails with ErrPath when the path leaves the drive, or is that of the root, which is no file.
func Clean(path string) (string, error) {
	p, err := cleanFolder(path)
	if err == nil && p == "" {
		err = fmt.Errorf("%w: the root is no file", ErrPath)
	}
	return p, err
}

// cleanFolder is Clean for a folder: the root is "".
func cleanFolder(path string) (string, error) {
	if len(path) > MaxPath {
		return "", fmt.Errorf("%w: %d bytes, at most %d", ErrPath, len(path), MaxPath)
	}
	if isClean(path) {
		return path, nil
	}
	var kept []string
	for _, p := range dropScheme(strings.Split(strings.ReplaceAll(path, `\`, "/"), "/")) {
		switch p {
		case "", ".":
		case "..":
			if len(kept) == 0 {
				return "", fmt.Errorf("%w: too many '..'", ErrPath)
			}
			kept = kept[:len(kept)-1]
		default:
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		return "", nil
	}
	return "/" + strings.Join(kept, "/"), nil
}

// isClean tells of most clean paths that they are.
func isClean(p string) bool {
	if len(p) < 2 || p[0] != '/' || p[len(p)-1] == '/' {
		return false
	}
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '\\':
			return false
		case '/':
			if p[i+1] == '/' || p[i+1] == '.' {
				return false
			}
		}
	}
	return true
}

// dropScheme leaves out a drive letter, "file:", or a scheme with its host.
func dropScheme(parts []string) []string {
	first := parts[0]
	if len(parts) < 2 || !strings.HasSuffix(first, ":") {
		return parts
	}
	if len(first) == 2 || first == "file:" {
		return parts[1:]
	}
	return parts[min(3, len(parts)):]
}

// linkTarget is the path that a link leads to. A relative target begins at the link itself, as if that were a folder: a file beside
// it is "../name".
func linkTarget(link, target string) (string, error) {
	parts := strings.Split(strings.ReplaceAll(target, `\`, "/"), "/")
	if parts[0] == "" || len(dropScheme(parts)) < len(parts) {
		return Clean(target)
	}
	return Clean(link + "/" + target)
}

// within tells whether a path lies below a folder, or is it.
func within(path, folder string) bool {
	return strings.HasPrefix(path, folder) && (len(path) == len(folder) || path[len(folder)] == '/')
}

// ancestors yields the folders above a path from the highest on, the root left out, and at last the path itself if self is set.
func ancestors(path string, self bool) (list []string) {
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			list = append(list, path[:i])
		}
	}
	if self && path != "" {
		list = append(list, path)
	}
	return list
}
