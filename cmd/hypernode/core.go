package main

import "github.com/spf13/cobra"

func (a *app) coreCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "core",
		Short: "Logs: create, append, get, info, truncate, clear, verify, serve, fetch",
		Long: `A core is a signed append-only log of blocks. Who has its key can read and
verify it; only the store that made it can append.

REF is a local name, or a key: hyper://KEY, or KEY alone, in z-base-32 (52
characters) or hexadecimal (64).`,
		Example: `  hypernode core create events
  seq 3 | hypernode core append events --lines
  hypernode core get events 0..3 --lines
  hypernode core info events`,
	}
	group(c)
	c.AddCommand(a.createCommand(), a.appendCommand(), a.getCommand(), a.infoCommand(), a.truncateCommand(), a.clearCommand(), a.verifyCommand(),
		a.serveCommand(), a.fetchCommand())
	return c
}

// durable adds the flag of the commands that write.
func (a *app) durable(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&a.durability, "durability", "full",
		"what outlives what: full survives a power loss, process the end of the process")
	return c
}
