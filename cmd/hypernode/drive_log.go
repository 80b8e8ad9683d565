package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/drive"
)

// jsonChange is one change of a drive in JSON. Version is the one that it led to.
type jsonChange struct {
	Version uint64 `json:"version"`
	Op      string `json:"op"` // put or del
	Path    string `json:"path"`
}

type driveLogFlags struct {
	driveFlags
	reverse bool
	limit   int
}

func (a *app) driveLogCommand() *cobra.Command {
	var f driveLogFlags
	c := &cobra.Command{
		Use:   "log DRIVE[@VERSION]",
		Short: "List the changes of a drive, the newest first",
		Long: `List the changes of a drive, the newest first: the version that a change led to,
put or del, and the path. Of changes that were made together, as by an import, only
the last version can be read.`,
		Example: `  hypernode drive log photos --limit 10`,
		Args:    args(cobra.ExactArgs(1)),
		RunE:    func(c *cobra.Command, list []string) error { return a.driveLog(c.Context(), list, &f) },
	}
	f.addReading(c)
	c.Flags().BoolVar(&f.reverse, "oldest-first", false, "in the order in which they were made")
	c.Flags().IntVar(&f.limit, "limit", 0, "at most so many")
	return c
}

func (a *app) driveLog(ctx context.Context, list []string, f *driveLogFlags) error {
	p, err := parsePlace(list)
	if err != nil {
		return err
	}
	if f.limit < 0 {
		return fail(exitUsage, "", "--limit is %d", f.limit)
	}
	return a.withDrive(ctx, p, &f.driveFlags, func(ctx context.Context, d *drive.Drive) error {
		files := bee.NewPrefix("files")
		return a.lines(func(line func(text string, doc any) error) error {
			left := f.limit
			for e, err := range d.Bee().History(ctx, bee.HistoryOptions{Reverse: !f.reverse}) {
				if err != nil {
					return err
				}
				path, ok := files.Trim(e.Key)
				if !ok {
					continue // what the drive keeps beside its files
				}
				c := jsonChange{e.Seq + 1, "put", string(path)}
				if e.Deleted {
					c.Op = "del"
				}
				if err := line(strconv.FormatUint(c.Version, 10)+"\t"+c.Op+"\t"+oneField(path), c); err != nil {
					return err
				}
				if left--; left == 0 {
					return nil
				}
			}
			return nil
		})
	})
}
