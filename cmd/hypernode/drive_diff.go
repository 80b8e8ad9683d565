package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/drive"
)

// jsonFileChange is a path that two versions have differently. A side that has it not is left out.
type jsonFileChange struct {
	Op  string    `json:"op"` // add, remove or change
	Old *jsonFile `json:"old,omitempty"`
	New *jsonFile `json:"new,omitempty"`
}

func (a *app) driveDiffCommand() *cobra.Command {
	var f driveFlags
	c := &cobra.Command{
		Use:   "diff DRIVE@OLD DRIVE[@NEW]",
		Short: "List the paths in which two versions differ",
		Long: `List the paths in which two versions of a drive differ, in order: "+" was added,
"-" was removed, "~" was written anew. A path behind the second drive's key
limits it to a folder.`,
		Example: `  hypernode drive diff photos@2 photos
  hypernode drive diff hyper://KEY@2 hyper://KEY/2026 --json`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, list []string) error { return a.driveDiff(c.Context(), list, &f) },
	}
	f.addReading(c)
	return c
}

func (a *app) driveDiff(ctx context.Context, list []string, f *driveFlags) error {
	from, err := parsePlace(list[:1])
	if err != nil {
		return err
	}
	to, err := parsePlace(list[1:])
	if err != nil {
		return err
	}
	if from.reference != to.reference || from.version == 0 {
		return fail(exitUsage, "", "want two versions of one drive: DRIVE@OLD and DRIVE or DRIVE@NEW")
	}
	return a.withDrive(ctx, to, f, func(ctx context.Context, d *drive.Drive) error {
		return a.lines(func(line func(text string, doc any) error) error {
			for c, err := range d.Diff(ctx, d.At(from.version), folderOf(to), drive.DiffOptions{}) {
				if err != nil {
					return err
				}
				text, doc, err := fileChange(ctx, d, c)
				if err != nil {
					return err
				}
				if err := line(text, doc); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func fileChange(ctx context.Context, d *drive.Drive, c drive.Difference) (text string, doc jsonFileChange, err error) {
	describe := func(e *drive.Entry) *jsonFile {
		if e == nil || err != nil {
			return nil
		}
		var j jsonFile
		j, err = newJSONFile(ctx, d, *e)
		return &j
	}
	doc = jsonFileChange{Op: "change", New: describe(c.Left), Old: describe(c.Right)}
	mark := "~ "
	switch {
	case c.Right == nil:
		doc.Op, mark = "add", "+ "
	case c.Left == nil:
		doc.Op, mark = "remove", "- "
	}
	return mark + oneField([]byte(c.Path())), doc, err
}
