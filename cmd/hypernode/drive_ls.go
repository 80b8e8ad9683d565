package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/drive"
)

// jsonFile is an entry of a drive in JSON.
type jsonFile struct {
	Path       string     `json:"path"`
	Type       string     `json:"type"` // file, link, mount or folder
	Size       *uint64    `json:"size,omitempty"`
	Seq        uint64     `json:"seq,omitempty"`
	Executable bool       `json:"executable,omitempty"`
	Link       string     `json:"link,omitempty"`
	Mount      string     `json:"mount,omitempty"`
	ModTime    *time.Time `json:"mtime,omitempty"`
}

func newJSONFile(ctx context.Context, d *drive.Drive, e drive.Entry) (jsonFile, error) {
	j := jsonFile{Path: e.Path, Type: "file", Seq: e.Seq, Executable: e.Executable, Link: e.Link}
	if t := e.ModTime(); !t.IsZero() {
		t = t.UTC()
		j.ModTime = &t
	}
	switch {
	case e.Mount != nil:
		j.Type, j.Mount = "mount", mountAddress(e.Mount)
		return j, nil
	case e.IsLink():
		j.Type = "link"
		return j, nil
	}
	n, err := d.Size(ctx, e)
	if err != nil {
		return j, err
	}
	bytes := uint64(n)
	j.Size = &bytes
	return j, nil
}

func mountAddress(m *drive.Mount) string {
	s := address(m.Key)
	if m.Version > 0 {
		s += "@" + strconv.FormatUint(m.Version, 10)
	}
	return s + m.Path
}

// line is the entry for people.
func (j *jsonFile) line(long bool) string {
	name := oneField([]byte(j.Path))
	switch j.Type {
	case "folder":
		name += "/"
	case "link":
		name += " -> " + oneField([]byte(j.Link))
	case "mount":
		name += " => " + oneField([]byte(j.Mount))
	}
	if !long {
		return name
	}
	length, when, mode := "-", "-", "-"
	if j.Size != nil {
		length = strconv.FormatUint(*j.Size, 10)
	}
	if j.ModTime != nil {
		when = j.ModTime.Format("2006-01-02T15:04:05Z")
	}
	if j.Executable {
		mode = "x"
	}
	return fmt.Sprintf("%s %12s %20s  %s", mode, length, when, name)
}

type driveListFlags struct {
	driveFlags
	recursive, long, mounts bool
}

func (a *app) driveListCommand() *cobra.Command {
	var f driveListFlags
	c := &cobra.Command{
		Use:   "ls DRIVE[@VERSION] [PATH]",
		Short: "List a folder",
		Long: `List the names in a folder, or with --recursive all files below it. Folders end in
a slash, links and mounts are followed by where they lead.`,
		Example: `  hypernode drive ls photos /2026 --long
  hypernode drive ls hyper://KEY@7 --recursive --json`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, list []string) error { return a.driveList(c.Context(), list, &f) },
	}
	f.addReading(c)
	c.Flags().BoolVarP(&f.recursive, "recursive", "r", false, "all files below, with their paths")
	c.Flags().BoolVarP(&f.long, "long", "l", false, "with executable bit, bytes and time")
	c.Flags().BoolVar(&f.mounts, "mounts", false, "with --recursive: go into mounted drives")
	return c
}

func (a *app) driveList(ctx context.Context, list []string, f *driveListFlags) error {
	p, err := parsePlace(list)
	if err != nil {
		return err
	}
	return a.withDrive(ctx, p, &f.driveFlags, func(ctx context.Context, d *drive.Drive) error {
		return a.lines(func(line func(text string, doc any) error) error {
			put := func(j jsonFile, err error) error {
				if err != nil {
					return err
				}
				return line(j.line(f.long), j)
			}
			if f.recursive {
				return listAll(ctx, d, p.path, f.mounts, put)
			}
			return listFolder(ctx, d, p, put)
		})
	})
}

func listAll(ctx context.Context, d *drive.Drive, folder string, mounts bool, put func(jsonFile, error) error) error {
	for e, err := range d.List(ctx, folder, drive.ListOptions{Mounts: mounts}) {
		if err != nil {
			return err
		}
		if err := put(newJSONFile(ctx, d, e)); err != nil {
			return err
		}
	}
	return nil
}

// listFolder lists the names in a folder. A file lists itself.
func listFolder(ctx context.Context, d *drive.Drive, p place, put func(jsonFile, error) error) error {
	names, err := d.ReadDir(ctx, p.path)
	if err != nil {
		return err
	}
	for _, n := range names {
		if n.Entry != nil {
			e := *n.Entry
			e.Path = n.Name
			if err := put(newJSONFile(ctx, d, e)); err != nil {
				return err
			}
		}
		if n.Folder && (n.Entry == nil || n.Entry.Mount == nil) {
			if err := put(jsonFile{Path: n.Name, Type: "folder"}, nil); err != nil {
				return err
			}
		}
	}
	if len(names) > 0 || p.path == "" || p.path == "/" {
		return nil
	}
	e, err := d.Entry(ctx, p.path)
	if err != nil {
		return err
	}
	return put(newJSONFile(ctx, d, e))
}
