package arch

import (
	"fmt"
	"slices"
	"strings"
)

// Package is what the rules ask of one package. Tests do not count: they may import what they like.
type Package struct {
	Path    string   // inside the module, "core/merkle"
	Imports []string // full paths of the direct imports
	Deps    []string // full paths of everything it links
	Spawns  []string // positions of its go statements
}

// Check returns one line for each breach of r, in the order of the packages; none means that all is well.
func Check(r Rules, packages []Package) []string {
	var breaches []string
	for _, p := range packages {
		for _, rule := range []func(Rules, Package) []string{checkFloor, checkPure, checkKits, checkNetwork} {
			for _, breach := range rule(r, p) {
				breaches = append(breaches, p.Path+" "+breach)
			}
		}
	}
	return breaches
}

func checkFloor(r Rules, p Package) (breaches []string) {
	own, ok := r.floor(p.Path)
	if !ok {
		return []string{"stands on no floor"}
	}
	for _, imported := range p.inside() {
		if below, ok := r.floor(imported); ok && below < own {
			breaches = append(breaches, "imports "+imported+", which stands above it")
		}
	}
	return breaches
}

func checkPure(r Rules, p Package) (breaches []string) {
	if !matchAny(r.Pure, p.Path) {
		return nil
	}
	for _, imported := range p.Imports {
		inside, ours := strings.CutPrefix(imported, Module+"/")
		switch {
		case ours && !matchAny(r.Pure, inside):
			breaches = append(breaches, "is pure and imports "+inside+", which is not")
		case !ours && matchAny(effects(), imported):
			breaches = append(breaches, "is pure and imports "+imported)
		}
	}
	for _, position := range p.Spawns {
		breaches = append(breaches, "is pure and starts a goroutine at "+position)
	}
	return breaches
}

// effects are the packages of the standard library by which code reaches beyond its own memory. Randomness for new
// keys is not among them, nor log/slog, by whose LogValuer a secret hides from logs.
func effects() []string {
	return []string{"io/fs", "io/ioutil", "log", "log/syslog", "net/...", "os/...", "plugin", "syscall/..."}
}

func checkKits(r Rules, p Package) (breaches []string) {
	if matchAny(r.Kits, p.Path) {
		return nil
	}
	for _, imported := range p.inside() {
		if matchAny(r.Kits, imported) {
			breaches = append(breaches, "imports "+imported+" outside its tests")
		}
	}
	for _, imported := range p.Imports {
		if match("testing/...", imported) > 0 {
			breaches = append(breaches, "imports "+imported+" outside its tests")
		}
	}
	return breaches
}

func checkNetwork(r Rules, p Package) []string {
	if matchAny(r.Network, p.Path) {
		return nil
	}
	linked := func(dep string) bool { return match("github.com/libp2p/...", dep) > 0 }
	if i := slices.IndexFunc(p.Deps, linked); i >= 0 {
		return []string{fmt.Sprintf("links %s: only the network packages may", p.Deps[i])}
	}
	return nil
}

// inside returns the direct imports that are packages of the module, by their path in it.
func (p Package) inside() (paths []string) {
	for _, imported := range p.Imports {
		if path, ok := strings.CutPrefix(imported, Module+"/"); ok {
			paths = append(paths, path)
		}
	}
	return paths
}

// floor returns the index of the floor that names path most exactly; 0 is the top.
func (r Rules) floor(path string) (floor int, ok bool) {
	best := 0
	for i, names := range r.Floors {
		for _, name := range names {
			if fit := match(name, path); fit > best {
				floor, best = i, fit
			}
		}
	}
	return floor, best > 0
}

func matchAny(names []string, path string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return match(name, path) > 0 })
}

// match says how exactly name names path: 0 is not at all, a longer folder is more than a shorter one, the path itself
// is more than a folder it opens.
func match(name, path string) int {
	folder, open := strings.CutSuffix(name, "/...")
	switch {
	case path == name:
		return 2*len(name) + 1
	case open && (path == folder || strings.HasPrefix(path, folder+"/")):
		return 2 * len(folder)
	}
	return 0
}
