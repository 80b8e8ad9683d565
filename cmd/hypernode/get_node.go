package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

// nodeSupplier has the node that runs fetch, and reads from it.
type nodeSupplier struct {
	*target
	client *api.Client
	files  *api.Files
	known  bool // the node had it before
	stop   context.CancelFunc
	ended  chan struct{} // closed when no more is told

	mu      sync.Mutex // guards what follows
	now     api.Fetching
	err     error
	changed chan struct{} // closed at the next change
}

func newNodeSupplier(ctx context.Context, c *api.Client, t *target) *nodeSupplier {
	ctx, stop := context.WithCancel(ctx)
	s := &nodeSupplier{target: t, client: c, stop: stop, ended: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		defer close(s.ended)
		s.listen(ctx)
	}()
	return s
}

// listen has the node fetch, and takes what it tells.
func (s *nodeSupplier) listen(ctx context.Context) {
	o := api.Fetch{Version: s.target.version, Path: s.path}
	for _, p := range s.text {
		if !isTCP(p) {
			o.Peers = append(o.Peers, p)
		}
	}
	for told, err := range s.client.Fetch(ctx, s.key, o) {
		s.mu.Lock()
		if err == nil {
			s.now = told
		}
		s.err = err
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
	}
}

// newer returns the version that is known once it is another one.
func (s *nodeSupplier) newer(ctx context.Context, version uint64) (uint64, error) {
	for {
		s.mu.Lock()
		v, err, changed := s.now.Version, s.err, s.changed
		s.mu.Unlock()
		if v != version {
			return v, nil
		}
		if err != nil {
			return 0, ofDrive(err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (s *nodeSupplier) open(ctx context.Context) error {
	list, err := s.client.Seeds(ctx)
	if err != nil {
		return err
	}
	s.known = seeded(list, s.key)
	v, err := s.newer(ctx, 0)
	if err != nil {
		return err
	}
	s.files = s.client.Files(s.key, v)
	s.files.Follow(s.newer)
	return nil
}

func (s *nodeSupplier) version() uint64                { return s.files.Version() }
func (s *nodeSupplier) tree(folder string) mirror.Tree { return mirror.Kept(s.files, folder) }

func (s *nodeSupplier) stat(ctx context.Context, path string) (drive.Entry, error) {
	e, err := s.files.Stat(ctx, path)
	return e, ofDrive(err)
}

// ofDrive makes what a node answered what a drive would have said.
func ofDrive(err error) error {
	var answer *api.Error
	switch {
	case !errors.As(err, &answer):
		return noNode(err)
	case answer.Code == api.CodeVersion:
		return drive.ErrVersion
	case answer.Code == api.CodeNotFound:
		return drive.ErrNotFound
	}
	return noNode(err)
}

func (s *nodeSupplier) file(ctx context.Context, path string, e drive.Entry) (io.ReadCloser, int64, error) {
	n, known := e.Size()
	if !known {
		n = -1
	}
	e.Path = path
	f, err := s.files.Open(ctx, e)
	return f, n, ofDrive(err)
}

func (s *nodeSupplier) folder(ctx context.Context, path string) error {
	for _, err := range s.files.List(ctx, path) {
		return ofDrive(err)
	}
	return drive.ErrNotFound
}

// ahead does nothing: the node does.
func (s *nodeSupplier) ahead(context.Context, string) error { return nil }

func (s *nodeSupplier) fetched() (bytes uint64, peers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now.Bytes, s.now.Peers
}

func (s *nodeSupplier) over() <-chan struct{} { return s.ended }

func (s *nodeSupplier) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ofDrive(s.err)
}

func (s *nodeSupplier) tried() (where []string, connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return places(s.now.Profile, s.now.Networks), s.now.Connections
}

func (s *nodeSupplier) keep(ctx context.Context, label string) error {
	if s.known {
		return nil
	}
	return noNode(s.client.Seed(ctx, s.key, node.SeedOptions{Label: label}))
}

func (s *nodeSupplier) drop(ctx context.Context) error {
	if s.known {
		return nil
	}
	s.stop()
	<-s.ended
	err := s.client.Purge(ctx, s.key)
	if answer := new(api.Error); errors.As(err, &answer) && answer.Code == api.CodeRefused {
		return nil // it was made there
	}
	return noNode(err)
}

func (s *nodeSupplier) close() error {
	s.stop()
	<-s.ended
	return nil
}
