package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// Command has the node carry out a command and returns its exit code. When ctx ends the node is told to interrupt it, and its end is
// waited for. Standard input is read as the command reads it, files are opened here.
func (c *Client) Command(ctx context.Context, cmd Command) (code int, err error) {
	body, err := json.Marshal(cmd.CommandLine)
	if err != nil {
		return 0, err
	}
	r, err := c.request(context.WithoutCancel(ctx), http.MethodPost, "/v1/command", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", upgrade)
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, fmt.Errorf("asking the node: %w", err)
	}
	stream, ok := answer.Body.(io.ReadWriteCloser)
	if answer.StatusCode != http.StatusSwitchingProtocols || !ok {
		return 0, refusal(answer)
	}
	defer stream.Close()
	h := &host{frames: frames{in: bufio.NewReaderSize(stream, 64<<10), out: stream}, cmd: cmd, files: map[uint32]*hostFile{}}
	defer h.closeAll()
	defer context.AfterFunc(ctx, func() { _ = h.write(frameInterrupt, 0, nil) })()
	return h.serve()
}

// refusal is the error that an answer carries.
func refusal(answer *http.Response) error {
	defer answer.Body.Close()
	e := &Error{Status: answer.StatusCode, Code: CodeFailed}
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	if err != nil || json.Unmarshal(b, e) != nil || e.Message == "" {
		e.Message = "the node answered " + answer.Status
	}
	return e
}

// host is the process that gave a command: it prints, and opens files.
type host struct {
	frames
	cmd Command

	mu    sync.Mutex
	files map[uint32]*hostFile
}

// hostFile is a file that the command has open. What is asked about it is done in its order by a goroutine of its own.
type hostFile struct {
	asked chan frame
	in    io.ReadCloser
	out   *io.PipeWriter
	done  chan error // of the writing
}

// serve does what the node says until the command has ended.
func (h *host) serve() (int, error) {
	for {
		f, err := h.read()
		if err != nil {
			return 0, fmt.Errorf("the node has ended before the command: %w", noEOF(err))
		}
		switch f.kind {
		case frameOut:
			if _, err := h.cmd.Stdout.Write(f.data); err != nil {
				return 0, fmt.Errorf("writing the result: %w", err)
			}
		case frameErr:
			_, _ = h.cmd.Stderr.Write(f.data) // nobody is left to be told
		case frameExit:
			return strconv.Atoi(string(f.data))
		default:
			h.pass(f)
		}
	}
}

// pass hands a request to the goroutine of its file.
func (h *host) pass(f frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	file := h.files[f.id]
	if file == nil {
		file = &hostFile{asked: make(chan frame, 4)}
		h.files[f.id] = file
		go h.work(file)
	}
	if f.kind == frameClose || f.kind == frameAbort {
		delete(h.files, f.id)
		close(file.asked)
		return
	}
	select {
	case file.asked <- f:
	default: // more at a time than is ever asked
	}
}

func (h *host) closeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, f := range h.files {
		delete(h.files, id)
		close(f.asked)
	}
}

// work answers requests about a file. A read of standard input that never ends ends with the process.
func (h *host) work(file *hostFile) {
	for f := range file.asked {
		data, err := h.do(file, f)
		switch {
		case errors.Is(err, io.EOF):
			err = h.write(frameEnd, f.id, nil)
		case err != nil:
			err = h.write(frameFault, f.id, encodeFault(err))
		default:
			err = h.write(frameAnswer, f.id, data)
		}
		if err != nil {
			break
		}
	}
	if file.in != nil {
		file.in.Close()
	}
	if file.out != nil {
		file.out.CloseWithError(errors.New("given up"))
		<-file.done
	}
}

func (h *host) do(file *hostFile, f frame) ([]byte, error) {
	switch f.kind {
	case frameOpen:
		return h.open(file, string(f.data))
	case frameStat:
		info, err := h.cmd.Files.Stat(string(f.data))
		if err != nil {
			return nil, err
		}
		return json.Marshal(info)
	case frameRead:
		n, err := strconv.Atoi(string(f.data))
		if err != nil || n <= 0 || n > ioFrame || file.in == nil {
			return nil, errors.New("no such read")
		}
		b := make([]byte, n)
		for {
			if n, err = file.in.Read(b); n > 0 || err != nil {
				break
			}
		}
		if n > 0 {
			err = nil
		}
		return b[:n], err
	case frameCreate:
		r, w := io.Pipe()
		file.out, file.done = w, make(chan error, 1)
		ready := make(chan struct{})
		go func() {
			err := h.cmd.Files.Replace(string(f.data), func(w io.Writer) error {
				close(ready)
				_, err := io.Copy(w, r)
				return err
			})
			r.CloseWithError(errors.Join(io.ErrClosedPipe, err))
			file.done <- err
		}()
		select {
		case <-ready:
			return nil, nil
		case err := <-file.done:
			file.out = nil
			return nil, err
		}
	case frameWrite:
		if file.out == nil {
			return nil, errors.New("no such file")
		}
		_, err := file.out.Write(f.data)
		return nil, err
	case frameCommit:
		if file.out == nil {
			return nil, errors.New("no such file")
		}
		out := file.out
		file.out = nil
		out.Close()
		return nil, <-file.done
	}
	return nil, fmt.Errorf("a request of kind %q", f.kind)
}

func (h *host) open(file *hostFile, name string) ([]byte, error) {
	if name == "" {
		file.in = io.NopCloser(h.cmd.Stdin)
		return []byte("{}"), nil
	}
	in, info, err := h.cmd.Files.Open(name)
	if err != nil {
		return nil, err
	}
	file.in = in
	return json.Marshal(info)
}
