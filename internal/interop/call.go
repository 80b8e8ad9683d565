package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Args are the arguments of a command. Bytes are encoded as base64.
type Args map[string]any

const (
	// defaultDeadline is how long a command may take whose context has no deadline.
	defaultDeadline = 30 * time.Second

	// grace is how long after its deadline the answer may come: the peer is told the deadline, and says what has failed.
	grace = 5 * time.Second
)

// Command has the peer do something and decodes the answer into result, unless it is nil. It fails with a *Failure when the
// peer could not, with ErrEnded when its process is gone. Commands that wait for other peers take the argument "ms", how
// long; it is set from ctx's deadline if it is among args with the value nil.
func (p *Peer) Command(ctx context.Context, name string, args Args, result any) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(defaultDeadline)
	}
	if ms, ok := args["ms"]; ok && ms == nil {
		args["ms"] = max(1, time.Until(deadline).Milliseconds())
	}
	late := time.NewTimer(time.Until(deadline) + grace)
	defer late.Stop()
	a, err := p.calls.call(name, args)
	if err != nil {
		return err
	}
	select {
	case r := <-a:
		return r.decode(name, result)
	case <-late.C:
		return fmt.Errorf("interop: %s: %w", name, context.DeadlineExceeded)
	}
}

// reply is a line that the process answers.
type reply struct {
	ID     uint64
	Result json.RawMessage
	Error  *Failure
	err    error
}

func (r reply) decode(name string, result any) error {
	switch {
	case r.err != nil:
		return r.err
	case r.Error != nil:
		return fmt.Errorf("%s: %w", name, r.Error)
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(r.Result, result); err != nil {
		return fmt.Errorf("interop: the answer to %s: %w", name, err)
	}
	return nil
}

// calls are the commands that wait for an answer.
type calls struct {
	stderr fmt.Stringer

	writing sync.Mutex // held while a line is written
	in      io.Writer

	mu      sync.Mutex // guards what follows
	last    uint64
	waiting map[uint64]chan<- reply
	ended   bool
}

func newCalls(in io.Writer, stderr fmt.Stringer) *calls {
	return &calls{in: in, stderr: stderr, waiting: map[uint64]chan<- reply{}}
}

func (c *calls) call(name string, args Args) (<-chan reply, error) {
	answer := make(chan reply, 1)
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return nil, c.gone()
	}
	c.last++
	id := c.last
	c.waiting[id] = answer
	c.mu.Unlock()
	line, err := json.Marshal(struct {
		ID   uint64 `json:"id"`
		Cmd  string `json:"cmd"`
		Args Args   `json:"args"`
	}{id, name, args})
	if err != nil {
		return nil, err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return nil, c.gone()
	}
	return answer, nil
}

// read hands out the answers until the process ends.
func (c *calls) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var r reply
		if err := json.Unmarshal(line, &r); err != nil {
			continue // something that a package has printed
		}
		c.mu.Lock()
		answer := c.waiting[r.ID]
		delete(c.waiting, r.ID)
		c.mu.Unlock()
		if answer != nil {
			answer <- r
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for id, answer := range c.waiting {
		delete(c.waiting, id)
		answer <- reply{err: c.gone()}
	}
}

func (c *calls) gone() error { return fmt.Errorf("%w: %s", ErrEnded, c.stderr) }
