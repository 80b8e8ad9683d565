package main

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
	"github.com/hypernode/hypernode/node"
)

// ownSupplier fetches with a node of this process.
type ownSupplier struct {
	*target
	app     *app
	follows bool // versions that come later are wanted too
	node    *node.Node
	whole   *node.Drive
	drive   *drive.Drive // at the version that is wanted

	mu      sync.Mutex
	content *core.Core // of the drive's files, once it is known
}

func (s *ownSupplier) open(ctx context.Context) (err error) {
	if s.whole, err = s.node.Drive(ctx, s.key, s.hints...); err != nil {
		return fmt.Errorf("opening it: %w", err)
	}
	d := s.whole.Drive
	s.drive = d
	if s.target.version > 0 {
		s.drive = d.At(s.target.version)
	}
	if d.Core().Head().Length == 0 {
		if err := s.node.Joined(ctx, d.DiscoveryKey()); err != nil {
			return err
		}
	}
	if err := d.Refresh(ctx); err != nil {
		return err
	}
	if h := d.Core().Head(); h.Length == 0 { // who was met may have heard of it, and have nothing yet
		s.app.say("nothing of it is known where it was asked for; waiting")
		if _, err := d.Core().Wait(ctx, h); err != nil {
			return err
		}
	}
	if !s.follows {
		s.drive = s.drive.Snapshot() // what is told is what was written
	}
	b, err := d.Blobs(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.content = b.Core()
	s.mu.Unlock()
	return nil
}

func (s *ownSupplier) version() uint64                { return s.drive.Version() }
func (s *ownSupplier) tree(folder string) mirror.Tree { return mirror.Folder(s.drive, folder) }

func (s *ownSupplier) stat(ctx context.Context, path string) (drive.Entry, error) {
	return s.drive.Stat(ctx, path)
}

func (s *ownSupplier) file(ctx context.Context, path string, e drive.Entry) (io.ReadCloser, int64, error) {
	n, err := s.drive.Size(ctx, e)
	if err != nil {
		return nil, 0, err
	}
	f, err := s.drive.Open(ctx, path)
	if err != nil {
		return nil, 0, err
	}
	return f, n, nil
}

func (s *ownSupplier) folder(ctx context.Context, path string) error {
	for _, err := range s.drive.List(ctx, path, drive.ListOptions{}) {
		return err
	}
	return drive.ErrNotFound
}

func (s *ownSupplier) ahead(ctx context.Context, path string) error {
	return s.drive.Download(ctx, path, drive.DownloadOptions{})
}

func (s *ownSupplier) fetched() (bytes uint64, peers int) {
	s.mu.Lock()
	list := []keys.DiscoveryKey{s.key.Discovery()}
	if s.content != nil {
		list = append(list, s.content.DiscoveryKey())
	}
	s.mu.Unlock()
	for _, d := range list {
		if r := s.node.Transfer(d); r != nil {
			now := r.Stats()
			bytes += now.BytesIn
			peers = max(peers, now.Peers)
		}
	}
	return bytes, peers
}

func (s *ownSupplier) over() <-chan struct{} { return nil }
func (s *ownSupplier) fault() error          { return nil }

func (s *ownSupplier) tried() (where []string, connections int) {
	now := s.node.Status()
	return places(now.Profile, now.Networks), now.Connections
}

func (s *ownSupplier) keep(ctx context.Context, label string) error {
	if s.whole.Writable() || seeded(s.node.Seeds(), s.key) {
		return nil
	}
	return s.node.Seed(ctx, s.key, node.SeedOptions{Label: label})
}

func seeded(list []node.Seed, k keys.Key) bool {
	for _, s := range list {
		if s.Key == k {
			return true
		}
	}
	return false
}

func (s *ownSupplier) drop(ctx context.Context) error {
	if s.whole.Writable() || seeded(s.node.Seeds(), s.key) {
		return nil
	}
	return s.whole.Purge(ctx)
}

func (s *ownSupplier) close() error {
	if s.whole == nil {
		return nil
	}
	return s.whole.Close()
}
