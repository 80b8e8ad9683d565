package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

// created is the result of "core create".
type created struct {
	Name      string `json:"name"`
	Key       string `json:"key"`
	Discovery string `json:"discovery_key"`
	Created   bool   `json:"created"`
	Encrypted bool   `json:"encrypted"`
	Compat    bool   `json:"compat"`
}

func (a *app) createCommand() *cobra.Command {
	var keyFile string
	var compat bool
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a core and print its key",
		Long: `Make a core and print its address, hyper://KEY. The key follows from the store's
primary key and the name: the same two give the same core, here and with the
JavaScript corestore. A core that exists is left as it is (exit code 9).

With an encryption key the blocks are encrypted; readers need that key beside
the core's. It is never stored: keep it.`,
		Example: `  hypernode core create events
  openssl rand -hex 32 > key && chmod 600 key
  hypernode core create diary --encryption-key-file key`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, list []string) error {
			e, err := a.encryption(keyFile)
			if err != nil {
				return err
			}
			return a.create(c.Context(), list[0], e, compat)
		},
	}
	keyFlag(c.Flags(), &keyFile)
	c.Flags().BoolVar(&compat, "compat", false, "make a core of the older kind, as Hypercore 10 does, whose key is that of its signer")
	return a.durable(c)
}

func (a *app) create(ctx context.Context, name string, e core.Encryption, compat bool) error {
	r, err := parseRef(name)
	if err != nil {
		return err
	}
	if r.name == "" {
		return fail(exitUsage, "", "making a core: %s is a key; a core is made by a name", r)
	}
	return a.withStore(ctx, making, func(s *corestore.Store) error {
		c, fresh, err := findOrMake(ctx, s, r, e, compat)
		if err != nil {
			return err
		}
		a.result = created{r.name, address(c.Key()), c.DiscoveryKey().String(), fresh, !e.IsZero(), c.Compat()}
		if err := a.print("%s", address(c.Key())); err != nil {
			return err
		}
		if !fresh {
			if compat != c.Compat() {
				return fail(exitRefused, "choose another name", "making %s: it exists, and is of the other kind", r)
			}
			return fail(exitNothing, "", "%s exists", r)
		}
		return nil
	})
}

// findOrMake opens a core to write it, and makes it when it does not exist.
func findOrMake(ctx context.Context, s *corestore.Store, r reference, e core.Encryption, compat bool) (c *core.Core, fresh bool, err error) {
	c, err = s.Open(ctx, r.ref())
	if err == nil {
		c, err = unlock(ctx, s, r, c, e, false)
		return c, false, err
	}
	if !errors.Is(err, core.ErrNotFound) {
		return nil, false, fmt.Errorf("opening %s: %w", r, err)
	}
	ref := corestore.Name(r.name)
	ref.Encryption, ref.Compat = e, compat
	if c, err = s.Open(ctx, ref); err != nil {
		return nil, false, fmt.Errorf("making %s: %w", r, err)
	}
	if !e.IsZero() {
		err = remember(ctx, c, e)
	}
	return c, true, err
}
