package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience bounds each wait for a process.
const patience = 10 * time.Minute

// process is a hypernode command that runs.
type process struct {
	cmd    *exec.Cmd
	began  time.Time
	lines  *bufio.Reader // of standard output
	stderr bytes.Buffer
	watch  *time.Timer
}

// listen is the address of a transport at a free port.
func listen(transport string) string {
	switch transport {
	case "quic":
		return "/ip4/127.0.0.1/udp/0/quic-v1"
	case "webtransport":
		return "/ip4/127.0.0.1/udp/0/quic-v1/webtransport"
	case "websocket":
		return "/ip4/127.0.0.1/tcp/0/ws"
	case "webrtc-direct":
		return "/ip4/127.0.0.1/udp/0/webrtc-direct"
	}
	return "/ip4/127.0.0.1/tcp/0"
}

// node is how the node of a process is set up.
type node struct {
	name       string   // its folder
	profile    string   // offline when empty
	transports []string // TCP when empty
	bootstrap  string
	static     string
}

// environment sets a node up so that nothing is sent beyond this machine.
func (l *lab) environment(n node) []string {
	if n.profile == "" {
		n.profile = "offline"
	}
	if len(n.transports) == 0 {
		n.transports = []string{"tcp"}
	}
	var addresses []string
	for _, t := range n.transports {
		addresses = append(addresses, listen(t))
	}
	env := append(os.Environ(),
		"HOME="+l.dir, "HYPERNODE_PATH="+filepath.Join(l.dir, n.name), "HYPERNODE_DISCOVERY_PROFILE="+n.profile,
		"HYPERNODE_DISCOVERY_MDNS=off", "HYPERNODE_DISCOVERY_LOCAL_PORTS=off", "HYPERNODE_NETWORK_PORT_MAPPING=off",
		"HYPERNODE_NETWORK_TRANSPORTS="+strings.Join(n.transports, ","), "HYPERNODE_NETWORK_LISTEN="+strings.Join(addresses, ","),
		"HYPERNODE_API_SOCKET="+filepath.Join(l.dir, n.name+".sock"))
	if n.bootstrap != "" {
		env = append(env, "HYPERNODE_DISCOVERY_BOOTSTRAP="+n.bootstrap)
	}
	if n.static != "" {
		env = append(env, "HYPERNODE_PEERS_STATIC="+n.static)
	}
	return env
}

// start runs a command.
func (l *lab) start(ctx context.Context, n node, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, l.binary, append(args, "--json")...)}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = l.dir, l.environment(n), &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.lines, p.began = bufio.NewReader(out), time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.watch = time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
	return p, nil
}

// read waits for the next document that the command prints.
func (p *process) read(v any) error {
	line, err := p.lines.ReadBytes('\n')
	if err != nil {
		return errors.Join(fmt.Errorf("%s said nothing: %w\n%s", p.cmd.Args[1], err, p.stderr.Bytes()), p.stop())
	}
	return json.Unmarshal(line, v)
}

// wait waits for the end of a command and returns how long it ran, and its CPU seconds.
func (p *process) wait() (took time.Duration, cpu float64, err error) {
	defer p.watch.Stop()
	_, err = p.lines.WriteTo(new(bytes.Buffer))
	if werr := p.cmd.Wait(); err == nil && werr != nil {
		err = fmt.Errorf("%s: %w\n%s", p.cmd.Args[1], werr, p.stderr.Bytes())
	}
	s := p.cmd.ProcessState
	return time.Since(p.began), (s.UserTime() + s.SystemTime()).Seconds(), err
}

// stop ends a server.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_, _, err := p.wait()
	return err
}
