package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/node/api"
)

// guarded are the folders of this program that hold keys and tokens. They are never shared, also as a part of a folder that is, and
// no mirror writes or removes anything in them.
type guarded []fs.FileInfo

// guard returns what is there of them.
func guard(c config.Config) (g guarded, err error) {
	for _, dir := range []string{c.StorePath(), filepath.Dir(api.TokenPath(c, api.ScopeRead))} {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking for the store: %w", err)
		}
		g = append(g, info)
	}
	return g, nil
}

// has tells whether a folder is one of them, whatever its name.
func (g guarded) has(folder string) bool {
	info, err := os.Stat(folder)
	if err != nil {
		return false
	}
	for _, one := range g {
		if os.SameFile(one, info) {
			return true
		}
	}
	return false
}

// check refuses a folder or file that is one of them or lies in one. What is not there yet is judged by where it would be.
func (g guarded) check(name string) error {
	path, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	for p := path; ; p = filepath.Dir(p) {
		if real, err := filepath.EvalSymlinks(p); err == nil && p != real {
			p = real
		}
		if g.has(p) {
			return fail(exitRefused, "name another folder", "%s is part of the store, which holds its keys", plain(name))
		}
		if p == filepath.Dir(p) {
			return nil
		}
	}
}

// filter leaves them out of the folder at root, and what next leaves out.
func (g guarded) filter(root string, next func(path string, folder bool) bool) func(path string, folder bool) bool {
	return func(path string, folder bool) bool {
		if folder && g.has(filepath.Join(root, filepath.FromSlash(path))) {
			return false
		}
		return next == nil || next(path, folder)
	}
}

// guarded checks a folder that is mirrored, and returns what leaves out of it what must not be.
func (a *app) guarded(folder string, next func(path string, folder bool) bool) (func(path string, folder bool) bool, error) {
	c, _, err := a.configuration(&nodeFlags{}, true)
	if err != nil {
		return nil, err
	}
	g, err := guard(c)
	if err != nil {
		return nil, err
	}
	return g.filter(folder, next), g.check(folder)
}
