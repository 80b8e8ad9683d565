package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
)

// mirrored is the result of "drive import" and "drive export".
type mirrored struct {
	Key       string `json:"key,omitempty"` // of a drive that is there
	Version   uint64 `json:"version"`
	Files     int64  `json:"files"`
	Added     int64  `json:"added"`
	Changed   int64  `json:"changed"`
	Removed   int64  `json:"removed"`
	Unchanged int64  `json:"unchanged"`
	Skipped   int64  `json:"skipped"`
	Bytes     int64  `json:"bytes"` // of contents that were written
}

type mirrorFlags struct {
	driveFlags
	prune, dryRun, links, mounts bool
	ignore                       []string
}

func (f *mirrorFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.prune, "prune", false, "remove what the source has not")
	c.Flags().BoolVarP(&f.dryRun, "dry-run", "n", false, "change nothing, tell what would be done")
	c.Flags().StringArrayVar(&f.ignore, "ignore", nil, "pattern of files to leave out, as in gitignore; may be repeated")
}

func (f *mirrorFlags) options(a *app, folder string) (o mirror.Options, err error) {
	o = mirror.Options{Prune: f.prune, DryRun: f.dryRun, Links: f.links, Mounts: f.mounts, Ignore: f.ignore, Changed: a.tellChange}
	if f.dryRun {
		o.Changed = a.showChange
	}
	o.Filter, err = a.guarded(folder, nil)
	return o, err
}

// showChange prints what a dry run would do.
func (a *app) showChange(c mirror.Change) {
	switch c.Op {
	case mirror.Fail, mirror.Skip:
		a.tellChange(c)
	default:
		if !a.json {
			// A reader that went away shows at the next line, and at the end.
			_ = a.print("%s\t%s", c.Op, oneField([]byte(c.Path)))
		}
	}
}

func (a *app) driveImportCommand() *cobra.Command {
	var f mirrorFlags
	c := &cobra.Command{
		Use:   "import DRIVE FOLDER",
		Short: "Bring a drive up to date with a folder",
		Long: `Write what is new or has changed in a folder into a drive; what is equal is left
alone. A path behind the drive's key, or as hyper://KEY/PATH, is the folder of the
drive. A name that is new makes a drive.`,
		Example: `  hypernode drive import photos ~/Photos
  hypernode drive import photos ~/Photos --prune --dry-run`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, list []string) error { return a.driveImport(c.Context(), list, &f) },
	}
	f.add(c)
	keyFlag(c.Flags(), &f.keyFile)
	return a.durable(c)
}

func (a *app) driveImport(ctx context.Context, list []string, f *mirrorFlags) error {
	p, err := parsePlace(list[:1])
	if err != nil {
		return err
	}
	if done, err := a.mirrorThrough(ctx, p, list[1], true, f); done {
		return err
	}
	if f.dryRun {
		return a.foresee(ctx, p, list[1], f)
	}
	return a.withDriveWriter(ctx, p, f.keyFile, making, func(d *drive.Drive) error {
		stats, err := a.bring(ctx, p, d, list[1], f)
		if err == nil && stats.Files == 0 {
			err = begin(ctx, d) // an empty folder makes a drive too
		}
		return a.mirrorEnd(d, stats, err)
	})
}

// bring takes over into a drive what is new or has changed in a folder.
func (a *app) bring(ctx context.Context, p place, d *drive.Drive, folder string, f *mirrorFlags) (mirror.Stats, error) {
	o, err := f.options(a, folder)
	if err != nil {
		return mirror.Stats{}, err
	}
	o.Times = true
	return mirror.Sync(ctx, mirror.Dir(folder), mirror.Folder(d, folderOf(p)), o)
}

// foresee tells what an import would do, without making a drive.
func (a *app) foresee(ctx context.Context, p place, folder string, f *mirrorFlags) error {
	if p.version > 0 {
		return fail(exitUsage, "", "%s: only the newest version can be changed", p)
	}
	there := false
	err := a.withDrive(ctx, p, &f.driveFlags, func(ctx context.Context, d *drive.Drive) error {
		there = true
		stats, err := a.bring(ctx, p, d, folder, f)
		return a.mirrorEnd(d, stats, err)
	})
	if code, _ := judge(err); there || p.name == "" || code != exitNotFound && code != exitNoStore {
		return err
	}
	return a.foreseeNew(ctx, p, folder, f)
}

// foreseeNew is foresee for a drive that is not there yet: one in memory stands for it.
func (a *app) foreseeNew(ctx context.Context, p place, folder string, f *mirrorFlags) error {
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	s, err := corestore.Open(ctx, db, corestore.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	d, err := drive.Create(ctx, s, drive.Name(p.name))
	if err != nil {
		return err
	}
	defer d.Close()
	stats, err := a.bring(ctx, p, d, folder, f)
	return placed(p, a.mirrorDone(keys.Key{}, d.Version(), stats, err))
}

func (a *app) driveExportCommand() *cobra.Command {
	var f mirrorFlags
	c := &cobra.Command{
		Use:   "export DRIVE[@VERSION] FOLDER",
		Short: "Write a drive into a folder",
		Long: `Write what is new or has changed in a drive, or below a path of it, into a folder;
what is equal is left alone. Nothing outside the folder is touched, whatever the
drive says. Symbolic links are written with --links, if they stay inside.`,
		Example: `  hypernode drive export photos@12 ~/then
  hypernode drive export hyper://KEY/2026 ~/2026 --peer tcp://192.0.2.7:4977`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, list []string) error { return a.driveExport(c.Context(), list, &f) },
	}
	f.add(c)
	f.addReading(c)
	c.Flags().BoolVar(&f.links, "links", false, "write symbolic links that stay inside FOLDER")
	c.Flags().BoolVar(&f.mounts, "mounts", false, "go into mounted drives")
	return c
}

func (a *app) driveExport(ctx context.Context, list []string, f *mirrorFlags) error {
	p, err := parsePlace(list[:1])
	if err != nil {
		return err
	}
	if done, err := a.mirrorThrough(ctx, p, list[1], false, f); done {
		return err
	}
	return a.withDrive(ctx, p, &f.driveFlags, func(ctx context.Context, d *drive.Drive) error {
		o, err := f.options(a, list[1])
		if err != nil {
			return err
		}
		stats, err := mirror.Sync(ctx, mirror.Folder(d, folderOf(p)), mirror.Dir(list[1]), o)
		return a.mirrorEnd(d, stats, err)
	})
}

func folderOf(p place) string {
	if p.path == "" {
		return "/"
	}
	return p.path
}

// mirrorEnd tells what was done, also when it was not all.
func (a *app) mirrorEnd(d *drive.Drive, s mirror.Stats, err error) error {
	return a.mirrorDone(d.Key(), d.Version(), s, err)
}

func (a *app) mirrorDone(k keys.Key, version uint64, s mirror.Stats, err error) error {
	if err != nil && !errors.Is(err, mirror.ErrPartial) {
		return err
	}
	key := ""
	if !k.IsZero() {
		key = address(k)
	}
	a.result = mirrored{key, version, s.Files, s.Added, s.Changed, s.Removed, s.Unchanged, s.Skipped, s.BytesWritten}
	a.say("version %d: %s", version, changes(s))
	return partly(err)
}
