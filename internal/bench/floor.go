package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// floorSize is about how many bytes an appended block takes in a journal and on the wire.
const floorSize = 300

// serveFloor does what no append to a remote reader can do without, and nothing else: it writes bytes to a file, syncs it and
// sends them.
func serveFloor(ctx context.Context, t *task) (f figures, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	file, err := createFile(filepath.Join(t.Dir, "floor"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	conns := make(chan net.Conn, 1)
	port, err := accept(ctx, &work, func(ctx context.Context, c net.Conn) {
		conns <- c
		<-ctx.Done()
		c.Close()
	})
	if err != nil {
		return nil, err
	}
	return figures{}, obey(hello{Port: port}, func(order string) (figures, error) {
		cpu := figures{"cpu": cpuSeconds()}
		if order != orderTail {
			return cpu, nil
		}
		c, at := <-conns, int64(0)
		return cpu, t.everyTick(func(now time.Time) error {
			b := binary.LittleEndian.AppendUint64(make([]byte, 0, floorSize), uint64(now.UnixNano()))[:floorSize]
			_, written := file.WriteAt(b, at)
			at += floorSize
			if err := errors.Join(written, file.SyncData()); err != nil {
				return err
			}
			_, err := c.Write(b)
			return err
		})
	})
}

// followFloor writes to a file what serveFloor sends, and measures as followTail does.
func followFloor(ctx context.Context, t *task) (f figures, err error) {
	file, err := createFile(filepath.Join(t.Dir, "floor"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	c, err := net.Dial("tcp", address(t.Ports[0]))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := say(hello{}); err != nil {
		return nil, err
	}
	w, f := startWatch(), figures{}
	took := make([]time.Duration, t.Gets)
	b := make([]byte, floorSize)
	for i := range took {
		if _, err := io.ReadFull(c, b); err != nil {
			return nil, err
		}
		if _, err := file.WriteAt(b, int64(i)*floorSize); err != nil {
			return nil, err
		}
		took[i] = time.Since(time.Unix(0, int64(binary.LittleEndian.Uint64(b))))
	}
	w.span(f)
	tailFigures(f, took)
	return f, nil
}

// createFile makes a file in a folder that is made too. It can sync without the file's times, as the journal does.
func createFile(name string) (vfs.File, error) {
	if err := vfs.Default.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	return vfs.Default.Create(name, vfs.WriteCategoryUnspecified)
}
