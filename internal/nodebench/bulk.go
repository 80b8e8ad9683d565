package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// large fetches one large file.
func large(transport string) func(context.Context, *lab) (sample, error) {
	return func(ctx context.Context, l *lab) (sample, error) {
		if err := l.write(1, l.large); err != nil {
			return sample{}, err
		}
		return l.transfer(ctx, transport, l.large)
	}
}

// small fetches many small files.
func small(ctx context.Context, l *lab) (sample, error) {
	const size = 8 << 10
	if err := l.write(l.small, size); err != nil {
		return sample{}, err
	}
	return l.transfer(ctx, "tcp", int64(l.small)*size)
}

// source is the folder that is shared.
func (l *lab) source() string { return filepath.Join(l.dir, "source") }

// write makes files that cannot be compressed, a hundred to a folder.
func (l *lab) write(files int, size int64) error {
	random := rand.NewChaCha8([32]byte{1})
	for i := range files {
		dir := filepath.Join(l.source(), fmt.Sprint(i/100))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(i%100)))
		if err != nil {
			return err
		}
		_, err = io.CopyN(f, random, size)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// share is what "share" prints.
type share struct {
	Key  string `json:"key"`
	Link string `json:"link"`
}

// share starts sharing the source and returns once it is served.
func (l *lab) share(ctx context.Context, n node) (p *process, s share, err error) {
	if p, err = l.start(ctx, n, "share", l.source()); err == nil {
		err = p.read(&s)
	}
	return p, s, err
}

// transfer shares the source with one process and gets it with another.
func (l *lab) transfer(ctx context.Context, transport string, size int64) (s sample, err error) {
	from, to := node{name: "from", transports: []string{transport}}, node{name: "to", transports: []string{transport}}
	server, shared, err := l.share(ctx, from)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	before, err := server.cpu()
	if err != nil {
		return s, err
	}
	client, err := l.start(ctx, to, "get", shared.Link, "got")
	if err != nil {
		return s, err
	}
	took, ask, err := client.wait()
	if err != nil {
		return s, err
	}
	after, err := server.cpu()
	return sample{value: float64(size) / (1 << 20) / took.Seconds(), serve: after - before, ask: ask}, err
}
