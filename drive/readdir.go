package drive

import (
	"context"
	"strings"

	"github.com/hypernode/hypernode/bee"
)

// DirEntry is a name in a folder.
type DirEntry struct {
	Name string
	// Entry is the file, link or mount of that name, nil where there are only entries below.
	Entry *Entry
	// Folder tells that there are entries below it, or a mount. A name may be a file and a folder.
	Folder bool
	// Err is set where the value is no entry; it wraps ErrEntry.
	Err error
}

// ReadDir returns the names in a folder, each once, in the order in which their first entries stand in a listing. A folder in which
// there is nothing, or that is not there, has none.
func (d *Drive) ReadDir(ctx context.Context, folder string) ([]DirEntry, error) {
	p, err := d.folder(ctx, folder)
	if err != nil {
		return nil, pathError("readdir", folder, err)
	}
	list, err := p.names(ctx)
	return list, pathError("readdir", folder, err)
}

// names returns the names in the folder that a place is.
func (p *place) names(ctx context.Context) (_ []DirEntry, err error) {
	r := dirReader{names: map[string]int{}}
	for from := []byte(p.path + "/"); from != nil && err == nil; {
		from, err = r.run(ctx, p, from)
	}
	return r.list, err
}

type dirReader struct {
	list  []DirEntry
	names map[string]int // places in list
}

// run reads names from a path on until it meets a folder, and returns the path to go on from: the first behind the folder.
func (r *dirReader) run(ctx context.Context, p *place, from []byte) ([]byte, error) {
	within := files.Range(bee.Range{GTE: from, LT: []byte(p.path + "0")})
	for found, err := range p.drive.tree.Range(ctx, within) {
		if err != nil {
			return nil, err
		}
		path, _ := files.Trim(found.Key)
		name, below, folder := strings.Cut(string(path[len(p.path)+1:]), "/")
		if folder && below == "" {
			continue // no path leads there
		}
		if folder {
			if name != "" { // else no path leads there
				r.add(name).Folder = true
			}
			return []byte(p.path + "/" + name + "0"), nil
		}
		if name == "" {
			continue
		}
		at := r.add(name)
		e, err := decodeFound(string(path), found)
		if at.Err = err; err != nil {
			continue
		}
		outer := p.entry(e)
		at.Entry, at.Folder = &outer, at.Folder || e.Mount != nil
	}
	return nil, nil
}

// add returns the entry of a name, which may be there.
func (r *dirReader) add(name string) *DirEntry {
	i, ok := r.names[name]
	if !ok {
		i = len(r.list)
		r.names[name] = i
		r.list = append(r.list, DirEntry{Name: name})
	}
	return &r.list[i]
}
