package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hypernode/hypernode/node/api"
)

// A group of blocks that are appended by one call is bounded.
const (
	groupBlocks = 1024
	groupBytes  = 8 << 20
)

// input turns files and standard input into groups of blocks. At most one file is open.
type input struct {
	stdin io.Reader
	disk  api.FileSystem
	files []string // none means standard input; so does "-"
	lines bool
	limit int // the greatest size of a block in bytes

	now    io.Closer // what is open
	from   string
	buffer *bufio.Reader // nil between two files
	line   int
}

// check makes sure that every file can be read before anything is appended.
func (in *input) check() error {
	if len(in.files) == 0 {
		in.files = []string{"-"}
	}
	for _, name := range in.files {
		if name == "-" {
			continue
		}
		info, err := in.disk.Stat(name)
		if err != nil {
			return fmt.Errorf("reading what to append: %w", err)
		}
		if info.Mode.IsDir() {
			return fail(exitUsage, "name the files in it", "reading what to append: %s is a folder", plain(name))
		}
		if !in.lines && info.Mode.IsRegular() && info.Size > int64(in.limit) {
			return fmt.Errorf("reading %s: %w", plain(name), in.tooLarge("it"))
		}
	}
	return nil
}

func (in *input) tooLarge(what string) error {
	return fail(exitRefused, "cut it into smaller blocks, for example with split", "%s is larger than %d bytes", what, in.limit)
}

// next returns the next group: what is there, up to a bound, and at least one block. The end is io.EOF; blocks may come
// with an error, and are those before it.
func (in *input) next(ctx context.Context) (blocks [][]byte, err error) {
	for size := 0; len(blocks) < groupBlocks && size < groupBytes; {
		if in.lines && len(blocks) > 0 && in.buffer != nil && in.buffer.Buffered() == 0 {
			return blocks, nil // who writes the lines may be slow
		}
		b, err := in.block(ctx)
		if err != nil {
			return blocks, err
		}
		blocks = append(blocks, b)
		size += len(b)
	}
	return blocks, nil
}

// block returns the next block.
func (in *input) block(ctx context.Context) ([]byte, error) {
	for {
		if in.buffer == nil {
			if err := in.begin(ctx); err != nil {
				return nil, err
			}
		}
		b, err := in.read()
		if !errors.Is(err, io.EOF) {
			if err != nil {
				err = fmt.Errorf("reading %s: %w", in.source(), err)
			}
			return b, err
		}
		if err := in.end(); err != nil || b != nil {
			return b, err
		}
	}
}

// begin opens the next file.
func (in *input) begin(ctx context.Context) error {
	if len(in.files) == 0 {
		return io.EOF
	}
	in.from, in.files, in.line = in.files[0], in.files[1:], 0
	r := in.stdin
	if in.from != "-" {
		f, _, err := in.disk.Open(in.from)
		if err != nil {
			return fmt.Errorf("reading what to append: %w", err)
		}
		r, in.now = f, f
	}
	in.buffer = bufio.NewReaderSize(&patientReader{ctx, r}, 64<<10)
	return nil
}

// source is what is being read.
func (in *input) source() string {
	if in.from == "-" {
		return "standard input"
	}
	return plain(in.from)
}

func (in *input) end() error {
	f := in.now
	in.buffer, in.now = nil, nil
	if f == nil {
		return nil
	}
	return f.Close()
}

// read returns the next line, or the whole file. io.EOF tells that the file has ended, and may come with its last block.
func (in *input) read() ([]byte, error) {
	if in.lines {
		return in.readLine()
	}
	b, err := io.ReadAll(io.LimitReader(in.buffer, int64(in.limit)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > in.limit {
		return nil, in.tooLarge("it")
	}
	return b, io.EOF
}

// readLine returns a line without its line feed.
func (in *input) readLine() (line []byte, err error) {
	in.line++
	for {
		part, err := in.buffer.ReadSlice('\n')
		if len(line)+len(bytes.TrimSuffix(part, []byte("\n"))) > in.limit {
			return nil, in.tooLarge(fmt.Sprintf("line %d", in.line))
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(line, []byte("\n")), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return line, err // nil after the last line feed
		default:
			return nil, err
		}
	}
}

// patientReader reads until its context ends, also where a read cannot be interrupted: standard input. A read that is
// left behind ends with the process.
type patientReader struct {
	ctx context.Context
	r   io.Reader
}

// patient returns a reader of a stream whose reads end with ctx.
func (a *app) patient(ctx context.Context, r io.Reader) io.Reader {
	if r == a.stdin {
		a.detail("reading standard input")
	}
	return &patientReader{ctx, r}
}

type readResult struct {
	b   []byte
	err error
}

// Read implements io.Reader.
func (p *patientReader) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	done := make(chan readResult, 1)
	go func() {
		own := make([]byte, len(b)) // it may outlive the call
		n, err := p.r.Read(own)
		done <- readResult{own[:n], err}
	}()
	select {
	case r := <-done:
		return copy(b, r.b), r.err
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
}
