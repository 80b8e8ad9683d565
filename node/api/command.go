package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// CommandLine is a command line that another process has the node's program carry out on its store.
type CommandLine struct {
	Args     []string          `json:"args"`
	Environ  map[string]string `json:"environ,omitempty"`
	Terminal bool              `json:"terminal,omitempty"` // standard error is one
}

// Command is a command line with what it reads and writes. Files are those of the process that gave it: the node opens none.
type Command struct {
	CommandLine
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Files          FileSystem
}

// FileSystem is the files of the process that gave a command.
type FileSystem interface {
	// Open opens a file to be read.
	Open(name string) (io.ReadCloser, FileInfo, error)
	// Stat describes a file without opening it.
	Stat(name string) (FileInfo, error)
	// Replace writes a file, which appears, or is replaced, when write returns nil.
	Replace(name string, write func(w io.Writer) error) error
}

// FileInfo is what a command wants to know of a file.
type FileInfo struct {
	Size int64       `json:"size"`
	Mode fs.FileMode `json:"mode"`
}

// farewell is how long the output of a command that is interrupted may take to be read.
const farewell = 5 * time.Second

// upgrade is the protocol to which the connection of a command is switched.
const upgrade = "hypernode-command"

// command carries out a command line.
func (s *server) command(w http.ResponseWriter, r *http.Request) error {
	if s.o.Command == nil {
		return &Error{http.StatusNotImplemented, "this node carries out no commands", CodeRefused}
	}
	var line CommandLine
	if err := take(r, &line); err != nil {
		return err
	}
	if r.Header.Get("Upgrade") != upgrade {
		return invalid("want Upgrade: %s", upgrade)
	}
	s.commands.Add(1)
	defer s.commands.Done()
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if _, err := fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", upgrade); err != nil {
		return nil
	}
	g := &guest{frames: frames{in: both.Reader, out: conn}, answers: map[uint32]chan frame{}, gone: make(chan struct{})}
	// A command that was interrupted does not wait for who does not read.
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now().Add(farewell)) })()
	var hear sync.WaitGroup
	hear.Go(func() {
		defer cancel()
		g.listen(cancel)
	})
	code := s.o.Command(ctx, Command{line, g.input(), frameWriter{g, frameOut}, frameWriter{g, frameErr}, g})
	_ = g.write(frameExit, 0, []byte(strconv.Itoa(code))) // who has left does not want to know
	conn.Close()
	hear.Wait()
	return nil
}

// guest is the process that gave a command.
type guest struct {
	frames
	gone chan struct{} // closed when it has left

	mu      sync.Mutex // guards what follows
	next    uint32
	answers map[uint32]chan frame
}

// listen takes what comes from the guest until it leaves.
func (g *guest) listen(interrupt func()) {
	defer close(g.gone)
	for {
		f, err := g.read()
		if err != nil {
			return
		}
		if f.kind == frameInterrupt {
			interrupt()
			continue
		}
		g.mu.Lock()
		answer := g.answers[f.id]
		g.mu.Unlock()
		if answer != nil {
			select {
			case answer <- f:
			default: // not asked for
			}
		}
	}
}

// file begins what is done with one file.
func (g *guest) file() (uint32, chan frame) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next++
	answer := make(chan frame, 1)
	g.answers[g.next] = answer
	return g.next, answer
}

func (g *guest) forget(id uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.answers, id)
}

var errGone = errors.New("the process that gave the command has left")

// ask sends a request about a file and waits for the answer.
func (g *guest) ask(kind byte, id uint32, answer chan frame, data []byte) ([]byte, error) {
	if err := g.write(kind, id, data); err != nil {
		return nil, errGone
	}
	select {
	case f := <-answer:
		switch f.kind {
		case frameAnswer:
			return f.data, nil
		case frameEnd:
			return nil, io.EOF
		case frameFault:
			return nil, faultOf(f.data)
		}
		return nil, fmt.Errorf("api: an answer of kind %q", f.kind)
	case <-g.gone:
		return nil, errGone
	}
}

// input is standard input, of which nothing is taken before it is read.
func (g *guest) input() io.Reader {
	id, answer := g.file()
	return &guestFile{g: g, id: id, answer: answer, lazy: true}
}

// Open implements FileSystem.
func (g *guest) Open(name string) (io.ReadCloser, FileInfo, error) {
	f := &guestFile{g: g}
	f.id, f.answer = g.file()
	text, err := g.ask(frameOpen, f.id, f.answer, []byte(name))
	var info FileInfo
	if err == nil {
		err = json.Unmarshal(text, &info)
	}
	if err != nil {
		g.forget(f.id)
		return nil, info, err
	}
	return f, info, nil
}

// Stat implements FileSystem.
func (g *guest) Stat(name string) (info FileInfo, err error) {
	id, answer := g.file()
	defer g.forget(id)
	text, err := g.ask(frameStat, id, answer, []byte(name))
	if err == nil {
		err = json.Unmarshal(text, &info)
	}
	_ = g.write(frameClose, id, nil) // who has left has forgotten it
	return info, err
}

// guestFile is a file of the guest that is read.
type guestFile struct {
	g      *guest
	id     uint32
	answer chan frame
	lazy   bool // it is opened at the first read
	rest   []byte
}

// Read implements io.Reader.
func (f *guestFile) Read(b []byte) (int, error) {
	if f.lazy {
		if _, err := f.g.ask(frameOpen, f.id, f.answer, nil); err != nil {
			return 0, err
		}
		f.lazy = false
	}
	if len(f.rest) == 0 && len(b) > 0 {
		data, err := f.g.ask(frameRead, f.id, f.answer, []byte(strconv.Itoa(min(len(b), ioFrame))))
		if err != nil {
			return 0, err
		}
		f.rest = data
	}
	n := copy(b, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (f *guestFile) Close() error {
	f.g.forget(f.id)
	_ = f.g.write(frameClose, f.id, nil) // who has left has closed it
	return nil
}

// Replace implements FileSystem.
func (g *guest) Replace(name string, write func(w io.Writer) error) error {
	id, answer := g.file()
	defer g.forget(id)
	if _, err := g.ask(frameCreate, id, answer, []byte(name)); err != nil {
		return err
	}
	w := bufio.NewWriterSize(writerFunc(func(b []byte) (int, error) {
		return pieces(b, func(part []byte) error {
			_, err := g.ask(frameWrite, id, answer, part)
			return err
		})
	}), ioFrame)
	err := write(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		_ = g.write(frameAbort, id, nil)
		return err
	}
	_, err = g.ask(frameCommit, id, answer, nil)
	return err
}

type writerFunc func(b []byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// frameWriter prints for the guest.
type frameWriter struct {
	g    *guest
	kind byte
}

func (w frameWriter) Write(b []byte) (int, error) {
	return pieces(b, func(part []byte) error { return w.g.write(w.kind, 0, part) })
}
