package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// running is what "node run" prints.
type running struct {
	Addresses []string `json:"addresses"`
}

// all are the transports that a node has by default.
func all() []string { return []string{"tcp", "quic", "webtransport", "websocket", "webrtc-direct"} }

// run starts a node and returns once it is ready, with how long that took.
func (l *lab) run(ctx context.Context, n node) (p *process, r running, took time.Duration, err error) {
	if p, err = l.start(ctx, n, "node", "run"); err != nil {
		return p, r, 0, err
	}
	err = p.read(&r)
	return p, r, time.Since(p.began), err
}

// ready starts a node whose store and key are there.
func ready(ctx context.Context, l *lab) (s sample, err error) {
	n := node{name: "node", profile: "lan", transports: all()}
	for range 2 { // the first start makes the key
		p, _, took, err := l.run(ctx, n)
		if err != nil {
			return s, err
		}
		s.value = milliseconds(took)
		if err := p.stop(); err != nil {
			return s, err
		}
	}
	return s, nil
}

// firstByte gets a small file, of a node that only a third one knows.
func firstByte(ctx context.Context, l *lab) (s sample, err error) {
	if err := l.write(1, 64<<10); err != nil {
		return s, err
	}
	boot, entry, _, err := l.run(ctx, node{name: "boot", profile: "lan"})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, boot.stop()) }()
	server, shared, err := l.share(ctx, node{name: "from", profile: "lan", bootstrap: entry.Addresses[0]})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	if err := pause(ctx, time.Second); err != nil { // for the announcement
		return s, err
	}
	client, err := l.start(ctx, node{name: "to", profile: "lan", bootstrap: entry.Addresses[0]}, "get", shared.Key, "got")
	if err != nil {
		return s, err
	}
	there := filepath.Join(l.dir, "got", "0", "0")
	for s.value == 0 && time.Since(client.began) < time.Minute {
		if _, err := os.Stat(there); err == nil {
			s.value = milliseconds(time.Since(client.began))
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return s, err
		}
	}
	_, s.ask, err = client.wait()
	return s, err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
