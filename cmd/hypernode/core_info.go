package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
)

// coreInfo is the result of "core info REF".
type coreInfo struct {
	Name       string   `json:"name,omitempty"`
	Key        string   `json:"key"`
	Discovery  string   `json:"discovery_key"`
	Length     uint64   `json:"length"`
	Fork       uint64   `json:"fork"`
	ByteLength uint64   `json:"byte_length"` // as the blocks are stored: with the 8 bytes that encryption adds to each
	TreeHash   string   `json:"tree_hash"`
	Held       uint64   `json:"held"`
	Contiguous uint64   `json:"contiguous"`
	Writable   bool     `json:"writable"`
	Encrypted  bool     `json:"encrypted"`
	Compat     bool     `json:"compat"`
	Frozen     bool     `json:"frozen"`
	RolledBack bool     `json:"rolled_back"`
	Disk       diskInfo `json:"disk"`
}

// diskInfo is what a core takes in the store, in bytes.
type diskInfo struct {
	Total  uint64 `json:"total"`
	Blocks uint64 `json:"blocks"`
	Tree   uint64 `json:"tree"`
	Other  uint64 `json:"other"`
}

// listed is a core in the list of all.
type listed struct {
	Name       string `json:"name,omitempty"`
	Key        string `json:"key"`
	Length     uint64 `json:"length"`
	Fork       uint64 `json:"fork"`
	ByteLength uint64 `json:"byte_length"`
	Contiguous uint64 `json:"contiguous"`
}

type coreList struct {
	Cores []listed `json:"cores"`
}

func (a *app) infoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "info [REF]",
		Short: "Tell what there is to know of a core, or list all",
		Long: `Tell the keys of a core, how long it is, what of it is stored here, and what it
takes on disk. Without REF, list all cores.`,
		Example: `  hypernode core info
  hypernode core info events --json`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, list []string) error {
			if len(list) == 0 {
				return a.list(c.Context())
			}
			return a.info(c.Context(), list[0])
		},
	}
}

func (a *app) info(ctx context.Context, text string) error {
	r, err := parseRef(text)
	if err != nil {
		return err
	}
	return a.withStore(ctx, reading, func(s *corestore.Store) error {
		c, err := r.open(ctx, s, false) // nothing is changed: the store is open for reading
		if err != nil {
			return err
		}
		d, err := describe(ctx, s, c)
		if err != nil {
			return fmt.Errorf("reading %s: %w", r, err)
		}
		a.result = d
		return a.printInfo(d)
	})
}

func describe(ctx context.Context, s *corestore.Store, c *core.Core) (*coreInfo, error) {
	i, err := c.Info(ctx)
	if err != nil {
		return nil, err
	}
	rec, err := s.Lookup(ctx, i.Discovery)
	if err != nil {
		return nil, err
	}
	names, err := coreNames(ctx, s)
	if err != nil {
		return nil, err
	}
	return &coreInfo{
		Name: names[i.Discovery], Key: address(i.Key), Discovery: i.Discovery.String(),
		Length: i.Head.Length, Fork: i.Head.Fork, ByteLength: i.Head.ByteLength, TreeHash: fmt.Sprintf("%x", i.TreeHash[:]),
		Held: i.Held, Contiguous: i.Contiguous, Writable: i.Writable, Encrypted: rec.Encrypted, Compat: i.Compat,
		Frozen: i.Frozen, RolledBack: i.RolledBack,
		Disk: diskInfo{i.Disk.Total(), i.Disk.Blocks, i.Disk.Tree, i.Disk.Bitmap + i.Disk.User + i.Disk.Other},
	}, nil
}

func (a *app) printInfo(d *coreInfo) error {
	if a.json {
		return nil
	}
	yes := func(b bool) string {
		if b {
			return "yes"
		}
		return "no"
	}
	rows := [][2]string{
		{"name", plain(d.Name)}, {"key", d.Key}, {"discovery key", d.Discovery},
		{"length", count(d.Length, "block") + ", " + count(d.ByteLength, "byte")}, {"fork", strconv.FormatUint(d.Fork, 10)},
		{"tree hash", d.TreeHash}, {"stored here", fmt.Sprintf("%s, the first %d without a gap", count(d.Held, "block"), d.Contiguous)},
		{"on disk", fmt.Sprintf("%s: blocks %d, tree %d, other %d", count(d.Disk.Total, "byte"), d.Disk.Blocks, d.Disk.Tree, d.Disk.Other)},
		{"writable", yes(d.Writable)}, {"encrypted", yes(d.Encrypted)}, {"compat", yes(d.Compat)},
	}
	if d.Name == "" {
		rows = rows[1:]
	}
	if d.Frozen {
		rows = append(rows, [2]string{"frozen", "two histories were signed"})
	}
	if d.RolledBack {
		rows = append(rows, [2]string{"rolled back", "this store is older than what was signed"})
	}
	return a.table(func(w io.Writer) {
		for _, row := range rows {
			fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	})
}

// table prints columns that are separated by tabs.
func (a *app) table(fill func(w io.Writer)) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fill(w)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// coreNames maps the cores that were made by name.
func coreNames(ctx context.Context, s *corestore.Store) (map[keys.DiscoveryKey]string, error) {
	names := map[keys.DiscoveryKey]string{}
	for n, err := range s.Names(ctx) {
		if err != nil {
			return nil, err
		}
		names[n.Discovery] = n.Name
	}
	return names, nil
}

func (a *app) list(ctx context.Context) error {
	return a.withStore(ctx, reading, func(s *corestore.Store) error {
		names, err := coreNames(ctx, s)
		if err != nil {
			return fmt.Errorf("listing the cores: %w", err)
		}
		list := coreList{Cores: []listed{}}
		var bad error
		for d, err := range s.List(ctx) {
			if err != nil {
				return fmt.Errorf("listing the cores: %w", err)
			}
			l, err := head(ctx, s, d)
			if err != nil {
				bad = errors.Join(bad, fmt.Errorf("reading the core with the discovery key %s: %w", d, err))
				continue
			}
			l.Name = names[d]
			list.Cores = append(list.Cores, l)
		}
		a.result = list
		return errors.Join(bad, a.printList(list.Cores))
	})
}

// head opens a core for a moment.
func head(ctx context.Context, s *corestore.Store, d keys.DiscoveryKey) (l listed, err error) {
	ref := corestore.Discovery(d)
	ref.MustExist, ref.ReadOnly = true, true
	c, err := s.Open(ctx, ref)
	if err != nil {
		return l, err
	}
	h := c.Head()
	return listed{Key: address(c.Key()), Length: h.Length, Fork: h.Fork, ByteLength: h.ByteLength, Contiguous: c.Contiguous()}, c.Close()
}

func (a *app) printList(list []listed) error {
	if len(list) == 0 {
		a.say("the store has no cores")
	}
	if a.json || len(list) == 0 {
		return nil
	}
	return a.table(func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tLENGTH\tBYTES\tFORK\tKEY")
		for _, l := range list {
			name := "-"
			if l.Name != "" {
				name = plain(l.Name)
			}
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", name, l.Length, l.ByteLength, l.Fork, l.Key)
		}
	})
}
