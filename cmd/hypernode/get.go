package main

import (
	"net/url"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/drive"
)

// got is the result of "get".
type got struct {
	Key       string `json:"key"`
	Version   uint64 `json:"version"`
	Path      string `json:"path"`
	Dest      string `json:"dest"`
	Files     int64  `json:"files"`
	Added     int64  `json:"added"`
	Changed   int64  `json:"changed"`
	Removed   int64  `json:"removed"`
	Unchanged int64  `json:"unchanged"`
	Skipped   int64  `json:"skipped"`
	Failed    int64  `json:"failed"`
	Bytes     int64  `json:"bytes"`   // that were written
	Fetched   uint64 `json:"fetched"` // bytes of blocks that came from peers
}

type driveGetFlags struct {
	nodeFlags
	timeout       time.Duration
	watch, noKeep bool
	prune, links  bool
	maxBytes      int64
	encryptionKey string
}

func (a *app) fetchDriveCommand() *cobra.Command {
	var f driveGetFlags
	c := &cobra.Command{
		Use:   "get hyper://KEY[@VERSION][/PATH] [DEST]",
		Short: "Fetch what somebody shares into a folder",
		Long: `Find peers that have a drive, fetch it, or one folder or file of it, check every
byte, and write it to DEST, by default a folder here that is named as the path, or
after the key. Files that are there and equal are left alone; a fetch that was
interrupted goes on. What was fetched stays in the store, and is served to others
whenever a node runs, unless --no-keep is given. A node that runs already fetches;
the files are written by this command all the same.

Peers are tried in this order: hints of the address (?peer=), nodes of this machine
and of the LAN, and those that the networks of the profile tell of.`,
		Example: `  hypernode get hyper://KEY
  hypernode get 'hyper://KEY/2026?peer=/ip4/192.0.2.7/tcp/4977/p2p/12D3…' ~/in
  hypernode get hyper://KEY ~/in --watch --prune`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, list []string) error { return a.getDrive(c.Context(), list, &f) },
	}
	f.add(c.Flags())
	c.Flags().DurationVar(&f.timeout, "timeout", time.Minute, "give up when no peer was found, or nothing has come, for so long")
	c.Flags().BoolVar(&f.watch, "watch", false, "go on with what changes, until Ctrl-C")
	c.Flags().BoolVar(&f.noKeep, "no-keep", false, "keep nothing in the store")
	c.Flags().BoolVar(&f.prune, "prune", false, "remove what is in DEST and not in the drive")
	c.Flags().BoolVar(&f.links, "links", false, "write symbolic links that stay inside DEST")
	c.Flags().Var((*byteSize)(&f.maxBytes), "max-bytes", "end before more than so much is written, like 10GiB; 0 is no limit")
	keyFlag(c.Flags(), &f.encryptionKey)
	return c
}

// target is what is to be fetched.
type target struct {
	place
	hints []peer.AddrInfo
	text  []string // of the hints
	dest  string
}

// parseTarget reads an address with its hints, and where to put it.
func parseTarget(list []string) (*target, error) {
	t := new(target)
	text, query, _ := strings.Cut(list[0], "?")
	for _, field := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' }) {
		name, value, _ := strings.Cut(field, "=")
		value, err := url.QueryUnescape(strings.ReplaceAll(value, "+", "%2B"))
		if err != nil || name != "peer" {
			return nil, fail(exitUsage, "hints are ?peer=MULTIADDR&peer=…", "%s is no hint", plain(field))
		}
		t.text = append(t.text, value)
		if strings.HasPrefix(value, tcpScheme) {
			continue // of a stock Hypercore peer: given to the node as a static peer
		}
		info, err := peer.AddrInfoFromString(value)
		if err != nil {
			return nil, fail(exitUsage, "a hint is a multiaddr that ends in /p2p/ID", "%s is no hint: %w", plain(value), err)
		}
		t.hints = append(t.hints, *info)
	}
	var err error
	if t.place, err = parsePlace([]string{text}); err != nil {
		return nil, err
	}
	if t.name != "" {
		return nil, fail(exitUsage, "an address is "+scheme+"KEY", "%s is not the address of a drive", plain(list[0]))
	}
	if t.path != "" && t.path != "/" {
		if t.path, err = drive.Clean(t.path); err != nil {
			return nil, fail(exitUsage, "", "%s: %w", plain(list[0]), err)
		}
	} else {
		t.path = "/"
	}
	if len(list) > 1 {
		t.dest = list[1]
	}
	return t, nil
}

// plainPeers are the hints that speak Hypercore's own transport.
func (t *target) plainPeers() (list []string) {
	for _, s := range t.text {
		if strings.HasPrefix(s, tcpScheme) {
			list = append(list, s)
		}
	}
	return list
}
