package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/drive"
)

// driveState is the result of the commands that change a drive.
type driveState struct {
	Key     string `json:"key"`
	Version uint64 `json:"version"`
}

func (a *app) driveCreateCommand() *cobra.Command {
	var keyFile string
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a drive, or print the address of the one of that name",
		Long: `Make a drive and print its address. The name is local: its keys are derived from
the store's primary key and the name. Who has the address may read the drive; only
this store can change it.`,
		Example: `  hypernode drive create photos`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, list []string) error {
			return a.driveCreate(c.Context(), list, keyFile)
		},
	}
	keyFlag(c.Flags(), &keyFile)
	return a.durable(c)
}

func (a *app) driveCreate(ctx context.Context, list []string, keyFile string) error {
	p, err := parsePlace(list)
	if err != nil {
		return err
	}
	if p.name == "" || p.path != "" {
		return fail(exitUsage, "", "%s: a drive is made by a name", p)
	}
	return a.withDriveWriter(ctx, p, keyFile, making, func(d *drive.Drive) error {
		if err := begin(ctx, d); err != nil {
			return err
		}
		a.result = driveState{address(d.Key()), d.Version()}
		return a.print("%s", address(d.Key()))
	})
}

// begin writes the header of a drive that is empty, by an empty change: it is known to be one from now on.
func begin(ctx context.Context, d *drive.Drive) error {
	if d.Core().Head().Length > 0 {
		return nil
	}
	return d.Remove(ctx, "/.new")
}
