package mirror

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"
)

// settleTime is how old the last change of a file must be before it is read: a later one may otherwise bear the same time, since
// clocks of file systems tick slowly, and would not be noticed.
const settleTime = 20 * time.Millisecond

// maxSettle is how often a file may change again while that is awaited.
const maxSettle = 10

func (f *folder) open(ctx context.Context, e entry) (content, entry, error) {
	d, err := f.holds.take(parent(e.path), false)
	if err != nil {
		return nil, entry{}, err
	}
	defer f.holds.release(d)
	name := path.Base(e.path)
	file, err := d.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, entry{}, err
	}
	info, err := settled(ctx, file)
	if err == nil {
		// It must be what stands under the name now, not what a link leads to.
		var named fs.FileInfo
		if named, err = d.Lstat(name); err == nil && !os.SameFile(info, named) {
			err = fmt.Errorf("%w: it was replaced", ErrChanging)
		}
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %v", ErrSpecial, info.Mode().Type())
	}
	if err != nil {
		_ = file.Close()
		return nil, entry{}, err
	}
	return &fileContent{file, info}, fileEntry(e.path, info), nil
}

// settled waits until the last change of a file is a moment ago.
func settled(ctx context.Context, file *os.File) (fs.FileInfo, error) {
	for range maxSettle {
		info, err := file.Stat()
		if err != nil {
			return nil, err
		}
		age := time.Since(info.ModTime())
		if age < 0 || age >= settleTime {
			return info, nil
		}
		select {
		case <-time.After(settleTime - age):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, ErrChanging
}

// fileContent is an open file of a folder.
type fileContent struct {
	*os.File
	before fs.FileInfo
}

func (c *fileContent) unchanged() error {
	after, err := c.Stat()
	if err != nil {
		return err
	}
	if after.Size() != c.before.Size() || !after.ModTime().Equal(c.before.ModTime()) {
		return ErrChanging
	}
	return nil
}
