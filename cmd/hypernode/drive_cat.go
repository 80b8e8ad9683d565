package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/drive"
)

type driveCatFlags struct {
	driveFlags
	out            string
	offset, length int64
}

func (a *app) driveCatCommand() *cobra.Command {
	var f driveCatFlags
	c := &cobra.Command{
		Use:   "cat DRIVE[@VERSION] PATH",
		Short: "Print a file, or a part of it",
		Long:  `Print a file byte for byte. Links are followed. With --peer only what is printed is fetched.`,
		Example: `  hypernode drive cat photos /cat.jpg > cat.jpg
  hypernode drive cat hyper://KEY/film.mkv --offset 1000000 --length 4096 --peer tcp://192.0.2.7:4977`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, list []string) error { return a.driveCat(c.Context(), list, &f) },
	}
	f.addReading(c)
	c.Flags().StringVarP(&f.out, "out", "o", "", "write to this file; it appears, or is replaced, when all is there")
	c.Flags().Int64Var(&f.offset, "offset", 0, "begin at this byte")
	c.Flags().Int64Var(&f.length, "length", -1, "at most so many bytes")
	return c
}

// catFile is the result of "drive cat" into a file.
type catFile struct {
	Key   string `json:"key"`
	Out   string `json:"out"`
	Bytes int64  `json:"bytes"`
}

func (a *app) driveCat(ctx context.Context, list []string, f *driveCatFlags) error {
	p, err := parsePlace(list)
	if err != nil {
		return err
	}
	if p.path == "" || f.offset < 0 || f.length < -1 {
		return fail(exitUsage, "", "want a path, and no negative --offset or --length")
	}
	return a.withDrive(ctx, p, &f.driveFlags, func(ctx context.Context, d *drive.Drive) (err error) {
		file, err := d.Open(ctx, p.path)
		if err != nil {
			return err
		}
		defer func() { err = closed(err, "closing the file", file.Close()) }()
		if f.offset > 0 {
			if _, err := file.Seek(f.offset, io.SeekStart); err != nil {
				return err
			}
		}
		var from io.Reader = file
		if f.length >= 0 {
			from = io.LimitReader(file, f.length)
		}
		if f.out != "" && f.out != "-" {
			out := catFile{address(d.Key()), f.out, 0}
			err := a.replace(f.out, func(w io.Writer) (err error) { out.Bytes, err = io.Copy(w, from); return err })
			if err != nil {
				return err
			}
			a.result = out
			a.say("wrote %s to %s", size(uint64(out.Bytes)), plain(f.out))
			return nil
		}
		if _, err := io.Copy(a.stdout, from); err != nil {
			return fmt.Errorf("printing %s: %w", p, err)
		}
		return nil
	})
}
