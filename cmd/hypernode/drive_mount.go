package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/drive"
)

func (a *app) driveMountCommand() *cobra.Command {
	var keyFile string
	var force bool
	c := &cobra.Command{
		Use:   "mount DRIVE PATH hyper://KEY[@VERSION][/PATH]",
		Short: "Show another drive below a path",
		Long: `Show another drive, or a folder of it, below a path of a drive that is written
here. With a version it stays at that version. The other drive need not be here.
The new version is printed. "unmount" takes it away; the other drive stays.`,
		Example: `  hypernode drive mount photos /friends/ann hyper://KEY
  hypernode drive mount photos /then hyper://KEY@12/2026`,
		Args: args(cobra.ExactArgs(3)),
		RunE: func(c *cobra.Command, list []string) error {
			what, err := parsePlace(list[2:])
			if err != nil {
				return err
			}
			if what.name != "" {
				return fail(exitUsage, "an address is "+scheme+"KEY", "%s is not the address of a drive", plain(list[2]))
			}
			o := drive.MountOptions{Version: what.version, Force: force}
			if what.path != "" {
				if o.Path, err = drive.Clean(what.path); err != nil {
					return fail(exitUsage, "", "%s: %w", plain(list[2]), err)
				}
			}
			return a.changeMount(c.Context(), list[:2], keyFile, func(ctx context.Context, d *drive.Drive, path string) error {
				return d.MountWith(ctx, path, what.key, o)
			})
		},
	}
	keyFlag(c.Flags(), &keyFile)
	c.Flags().BoolVar(&force, "force", false, "also in place of a file, and over entries below, which are hidden then")
	return a.durable(c)
}

func (a *app) driveUnmountCommand() *cobra.Command {
	var keyFile string
	c := &cobra.Command{
		Use:     "unmount DRIVE PATH",
		Short:   "Take a mount away",
		Long:    `Take a mount away from a drive. The mounted drive stays as it is.`,
		Example: `  hypernode drive unmount photos /friends/ann`,
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, list []string) error {
			return a.changeMount(c.Context(), list, keyFile, func(ctx context.Context, d *drive.Drive, path string) error {
				return d.Unmount(ctx, path)
			})
		},
	}
	keyFlag(c.Flags(), &keyFile)
	return a.durable(c)
}

func (a *app) changeMount(ctx context.Context, list []string, keyFile string, change func(ctx context.Context, d *drive.Drive, path string) error) error {
	p, err := parsePlace(list)
	if err != nil {
		return err
	}
	return a.withDriveWriter(ctx, p, keyFile, writing, func(d *drive.Drive) error {
		err := change(ctx, d, p.path)
		switch {
		case errors.Is(err, drive.ErrNotEmpty):
			return fail(exitRefused, "hide them with --force", "%s: there are entries", p)
		case errors.Is(err, fs.ErrExist):
			return fail(exitRefused, "put the mount in its place with --force", "%s is a file", p)
		case errors.Is(err, drive.ErrNotMount):
			return fail(exitNotFound, `list the mounts with "hypernode drive mounts"`, "%s is no mount", p)
		case err != nil:
			return err
		}
		return a.changed(ctx, d, p.path)
	})
}

func (a *app) driveMountsCommand() *cobra.Command {
	var f driveFlags
	c := &cobra.Command{
		Use:     "mounts DRIVE[@VERSION] [PATH]",
		Short:   "List the mounts of a drive",
		Long:    `List the paths at which other drives are mounted, and which.`,
		Example: `  hypernode drive mounts photos`,
		Args:    args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, list []string) error {
			p, err := parsePlace(list)
			if err != nil {
				return err
			}
			return a.withDrive(c.Context(), p, &f, func(ctx context.Context, d *drive.Drive) error {
				return a.lines(func(line func(text string, doc any) error) error {
					for e, err := range d.Mounts(ctx, folderOf(p), drive.ListOptions{}) {
						if err != nil {
							return err
						}
						j, err := newJSONFile(ctx, d, e)
						if err != nil {
							return err
						}
						if err := line(j.line(false), j); err != nil {
							return err
						}
					}
					return nil
				})
			})
		},
	}
	f.addReading(c)
	return c
}
