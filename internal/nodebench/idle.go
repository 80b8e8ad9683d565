package main

import (
	"context"
	"errors"
	"fmt"
)

func idleMemory(ctx context.Context, l *lab) (s sample, err error) {
	err = l.idling(ctx, func(p *process) error {
		if s.value, err = p.memory("VmRSS"); err != nil {
			return err
		}
		mapped, err := p.memory("RssFile")
		s.note = fmt.Sprintf("%s of it pages of files", number(mapped))
		return err
	})
	return s, err
}

func idleCPU(ctx context.Context, l *lab) (s sample, err error) {
	err = l.idling(ctx, func(p *process) error {
		before, err := p.cpu()
		if err != nil {
			return err
		}
		if err := pause(ctx, l.idle); err != nil {
			return err
		}
		after, err := p.cpu()
		s.value = 100 * (after - before) / l.idle.Seconds()
		return err
	})
	return s, err
}

// idling calls fn with a node that seeds a small drive, has one peer, and has been ready for a while.
func (l *lab) idling(ctx context.Context, fn func(p *process) error) (err error) {
	if err := l.write(10, 8<<10); err != nil {
		return err
	}
	boot, entry, _, err := l.run(ctx, node{name: "boot", profile: "lan", transports: all()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, boot.stop()) }()
	n := node{name: "node", profile: "lan", transports: all(), bootstrap: entry.Addresses[0], static: entry.Addresses[0]}
	p, _, err := l.share(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := pause(ctx, l.idle); err != nil {
		return err
	}
	return fn(p)
}
