package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// child is a process that does a task and takes orders meanwhile.
type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
	name  string
}

// start begins a task in a process of its own.
func start(ctx context.Context, t task) (*child, error) {
	cmd, err := command(ctx, t)
	if err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, name: t.Name + " " + t.Step}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	c.lines = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return c, nil
}

// hear reads a line into v.
func (c *child) hear(v any) error {
	line, err := c.lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// order has the process do something.
func (c *child) order(text string) (f figures, err error) {
	if _, err := io.WriteString(c.in, text+"\n"); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return f, c.hear(&f)
}

// end closes the process's stdin and waits for it.
func (c *child) end() error {
	c.in.Close()
	_, drained := io.Copy(io.Discard, c.lines)
	if err := errors.Join(drained, c.cmd.Wait()); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// say writes a line for who has started this process.
func say(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }
