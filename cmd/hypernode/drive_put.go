package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/drive"
)

type drivePutFlags struct {
	keyFile    string
	executable bool
	link       bool
}

func (a *app) drivePutCommand() *cobra.Command {
	var f drivePutFlags
	c := &cobra.Command{
		Use:   "put DRIVE PATH [FILE]",
		Short: "Write a file",
		Long: `Write a file into a drive, from FILE or from standard input. It is there when all
of it was read. The new version is printed; below a mount it is the mounted drive that is
written, if this store can. A name that is new makes a drive.`,
		Example: `  hypernode drive put photos /cat.jpg cat.jpg
  tar c . | hypernode drive put backup /home.tar
  hypernode drive put photos /newest ../cat.jpg --link`,
		Args: args(cobra.RangeArgs(2, 3)),
		RunE: func(c *cobra.Command, list []string) error { return a.drivePut(c.Context(), list, &f) },
	}
	keyFlag(c.Flags(), &f.keyFile)
	c.Flags().BoolVarP(&f.executable, "executable", "x", false, "set the executable bit, also if FILE has it not")
	c.Flags().BoolVar(&f.link, "link", false, "write a symbolic link to FILE, which is a path in the drive")
	return a.durable(c)
}

func (a *app) drivePut(ctx context.Context, list []string, f *drivePutFlags) error {
	p, err := parsePlace(list[:2])
	if err != nil {
		return err
	}
	if f.link && len(list) < 3 {
		return fail(exitUsage, "", "--link wants to know where the link leads")
	}
	in, regular, meta := a.stdin, false, drive.Meta{Executable: f.executable}
	if len(list) == 3 && list[2] != "-" && !f.link {
		file, info, err := a.open(list[2])
		if err != nil {
			return fmt.Errorf("reading the file: %w", err)
		}
		defer file.Close()
		if info.Mode.IsDir() {
			return fail(exitUsage, `use "hypernode drive import"`, "%s is a folder", plain(list[2]))
		}
		in, regular, meta.Executable = file, info.Mode.IsRegular(), f.executable || info.Mode.Perm()&0o100 != 0
	}
	return a.withDriveWriter(ctx, p, f.keyFile, making, func(d *drive.Drive) error {
		if !regular && !f.link {
			in = a.patient(ctx, in)
		}
		if f.link {
			err = d.Symlink(ctx, p.path, list[2], meta)
		} else {
			err = putFile(ctx, d, p.path, in, meta)
		}
		if err != nil {
			return err
		}
		return a.changed(ctx, d, p.path)
	})
}

// putFile writes a file of any length. When it cannot be read to its end nothing is put.
func putFile(ctx context.Context, d *drive.Drive, path string, in io.Reader, meta drive.Meta) error {
	w, err := d.Create(ctx, path, meta)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		w.Abort()
		return err
	}
	return w.Close()
}

func (a *app) driveRemoveCommand() *cobra.Command {
	var keyFile string
	var recursive bool
	c := &cobra.Command{
		Use:   "rm DRIVE PATH",
		Short: "Remove a file, or a folder with --recursive",
		Long: `Remove a file from the newest version. Older versions keep it. The new version is
printed.`,
		Example: `  hypernode drive rm photos /cat.jpg
  hypernode drive rm photos /2025 --recursive`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, list []string) error {
			return a.driveRemove(c.Context(), list, keyFile, recursive)
		},
	}
	keyFlag(c.Flags(), &keyFile)
	c.Flags().BoolVarP(&recursive, "recursive", "r", false, "also all below")
	return a.durable(c)
}

func (a *app) driveRemove(ctx context.Context, list []string, keyFile string, recursive bool) error {
	p, err := parsePlace(list)
	if err != nil {
		return err
	}
	if p.path == "" {
		return fail(exitUsage, "", "%s: want a path", p)
	}
	return a.withDriveWriter(ctx, p, keyFile, writing, func(d *drive.Drive) error {
		if ok, err := isThere(ctx, d, p.path, recursive); err != nil || !ok {
			return cmp.Or(err, drive.ErrNotFound)
		}
		remove := d.Remove
		if recursive {
			remove = d.RemoveAll
		}
		if err := remove(ctx, p.path); err != nil {
			return err
		}
		return a.changed(ctx, d, p.path)
	})
}

// isThere tells whether there is something at a path, or below it if that counts, be it no entry that can be read.
func isThere(ctx context.Context, d *drive.Drive, path string, below bool) (bool, error) {
	if ok, err := d.Exists(ctx, path); ok || errors.Is(err, drive.ErrEntry) {
		return true, nil
	} else if err != nil || !below {
		return false, err
	}
	for _, err := range d.List(ctx, path, drive.ListOptions{}) {
		if errors.Is(err, drive.ErrEntry) {
			err = nil
		}
		return err == nil, err
	}
	return false, nil
}
