package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
)

// driveOp is a change of a drive.
type driveOp struct {
	path       string
	data       []byte // of a file
	link       string // of a link
	del        bool
	executable bool
	metadata   string // JSON
}

// tree is changes that make a drive with all kinds of entries.
func tree() []driveOp {
	large := make([]byte, 300_000)
	rand.NewChaCha8([32]byte{1}).Read(large)
	return []driveOp{
		{path: "/hello.txt", data: []byte("hello world")},
		{path: "/empty", data: []byte{}},
		{path: "/a/b/large.bin", data: large},
		{path: "/a/run.sh", data: []byte("#!/bin/sh\n"), executable: true},
		{path: "/a/link", link: "/hello.txt"},
		{path: "/späße/ünï 日本.txt", data: []byte("names")},
		{path: "/noted", data: []byte("with metadata"), metadata: `{"b":1,"a":[true,null,"x"],"n":1.5}`},
		{path: "/gone", data: []byte("soon deleted")},
		{path: "/gone", del: true},
		{path: "/hello.txt", data: []byte("hello again")},
		{path: "/z/last", data: bytes.Repeat([]byte("0123456789"), 20_000)},
	}
}

// driveOps returns random changes of few paths.
func driveOps(r *rand.Rand, count int) []driveOp {
	list := make([]driveOp, count)
	for i := range list {
		path := fmt.Sprintf("/%c/%d", 'a'+r.IntN(3), r.IntN(12))
		switch r.IntN(6) {
		case 0:
			list[i] = driveOp{path: path, del: true}
		case 1:
			list[i] = driveOp{path: path, link: fmt.Sprintf("../%d", r.IntN(9))}
		default:
			data := make([]byte, r.IntN(200))
			if r.IntN(10) == 0 {
				data = make([]byte, 65536+r.IntN(100_000))
			}
			for k := range data {
				data[k] = byte(r.Uint32())
			}
			list[i] = driveOp{path: path, data: data, executable: r.IntN(5) == 0}
			if r.IntN(4) == 0 {
				list[i].metadata = fmt.Sprintf(`{"mtime":%d,"é<&>":[null,%d.5]}`, r.IntN(1e12), r.IntN(100))
			}
		}
	}
	return list
}

func goDrive(ctx context.Context, d *drive.Drive, ops []driveOp) error {
	for _, op := range ops {
		m := drive.Meta{Executable: op.executable, Metadata: json.RawMessage(op.metadata)}
		var err error
		switch {
		case op.del:
			err = d.Remove(ctx, op.path)
		case op.link != "":
			err = d.Symlink(ctx, op.path, op.link, m)
		default:
			err = d.WriteFile(ctx, op.path, op.data, m)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", op.path, err)
		}
	}
	return nil
}

// jsDrive is a drive in a JavaScript peer.
type jsDrive struct {
	peer   *Peer
	handle int
	key    keys.Key
}

// openJSDrive opens the drive of a store, or that of a key.
func openJSDrive(ctx context.Context, s *Store, key keys.Key, encryption []byte) (*jsDrive, error) {
	args := Args{"store": s.Handle, "encryption": encryption}
	if !key.IsZero() {
		args["key"] = key[:]
	}
	var r struct {
		Handle int
		Key    []byte
	}
	if err := s.Peer.Command(ctx, "drive.open", args, &r); err != nil {
		return nil, err
	}
	return &jsDrive{peer: s.Peer, handle: r.Handle, key: keys.Key(r.Key)}, nil
}

func (d *jsDrive) do(ctx context.Context, command string, args Args, result any) error {
	args["drive"] = d.handle
	return d.peer.Command(ctx, command, args, result)
}

func (d *jsDrive) apply(ctx context.Context, ops []driveOp) error {
	for _, op := range ops {
		var err error
		switch {
		case op.del:
			err = d.do(ctx, "drive.del", Args{"path": op.path}, nil)
		case op.link != "":
			err = d.do(ctx, "drive.symlink", Args{"path": op.path, "target": op.link}, nil)
		default:
			args := Args{"path": op.path, "data": op.data, "executable": op.executable}
			if op.metadata != "" {
				args["metadata"] = json.RawMessage(op.metadata)
			}
			err = d.do(ctx, "drive.put", args, nil)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", op.path, err)
		}
	}
	return nil
}

// driveState is what there is to compare of a drive.
type driveState struct {
	Version   uint64
	DB, Blobs struct {
		Length, Fork uint64
		Hash         []byte
	}
}

func (d *jsDrive) state(ctx context.Context) (s driveState, err error) {
	err = d.do(ctx, "drive.state", Args{}, &s)
	return s, err
}

func stateOf(ctx context.Context, d *drive.Drive) (s driveState, err error) {
	b, err := d.Blobs(ctx)
	if err != nil {
		return s, err
	}
	s.Version = d.Version()
	for _, x := range []struct {
		to *struct {
			Length, Fork uint64
			Hash         []byte
		}
		from *core.Core
	}{{&s.DB, d.Core()}, {&s.Blobs, b.Core()}} {
		h, hash := x.from.Head(), x.from.TreeHash()
		x.to.Length, x.to.Fork, x.to.Hash = h.Length, h.Fork, hash[:]
	}
	return s, nil
}
