package node_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/node"
)

// TestOfflineSendsNothing runs an offline node in a network namespace with a LAN and a route, and looks at every packet there.
func TestOfflineSendsNothing(t *testing.T) {
	if os.Getenv(inNamespace) != "" {
		testSilence(t)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("making a network namespace needs root")
	}
	for _, tool := range []string{"unshare", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	const script = `ip link set lo up && ip link add lan type veth peer name far && ip link set far up && ip addr add 10.77.0.1/24 dev lan &&
ip link set lan up multicast on && ip route add default via 10.77.0.2 && ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev lan || exit 99
exec "$0" -test.run '^TestOfflineSendsNothing$' -test.timeout 60s -test.v`
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "sh", "-c", script, os.Args[0])
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if e, ok := err.(*exec.ExitError); ok && e.ExitCode() == 99 {
		t.Skipf("a namespace with a LAN cannot be made here: %s", out)
	}
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestOfflineSendsNothing")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

func testSilence(t *testing.T) {
	tap := newTap(t)
	c := config.Config{Path: t.TempDir(), Discovery: config.Discovery{Profile: config.Offline}} // all transports, default ports
	n := start(t, c)
	written := n.write(t, "core", 1)
	m, err := n.Join(t.Context(), [32]byte{7}, "/talk/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Leave()
	if err := n.Seed(t.Context(), [32]byte{1, 2, 3}, node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	other, err := n.Core(ctx, [32]byte{4, 5, 6})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Get(ctx, 0); err == nil || written.Head().Length != 1 {
		t.Fatal("something came from nowhere")
	}
	if seen := tap.packets(t); len(seen) > 0 {
		t.Errorf("an offline node has sent: %v", seen)
	}
	for _, address := range []string{"127.0.0.1:9", "192.0.2.1:9"} { // that the tap sees what there is
		conn, err := net.Dial("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte("hello"))
		conn.Close()
		until(t, "a packet to "+address, func() bool {
			return slices.ContainsFunc(tap.packets(t), func(s string) bool { return s == "UDP to "+address })
		})
	}
}

// tap sees every packet of a namespace, with which interface it may go.
type tap struct{ fd int }

func newTap(t *testing.T) *tap {
	all := int(binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL)))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, all)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return &tap{fd}
}

// packets are those seen since the last call, but for what the system sends by itself to set up its addresses: ICMPv6.
func (p *tap) packets(t *testing.T) (list []string) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := unix.Recvfrom(p.fd, buf, 0)
		if err == unix.EAGAIN {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok {
			if text := describe(ll.Protocol, buf[:n]); text != "" {
				list = append(list, text)
			}
		}
	}
}

// describe says what a packet is, nothing for one of ICMPv6.
func describe(protocol uint16, b []byte) string {
	ethertype := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, protocol))
	switch {
	case ethertype == unix.ETH_P_IP && len(b) >= 24 && (b[9] == unix.IPPROTO_UDP || b[9] == unix.IPPROTO_TCP):
		header := int(b[0]&15) * 4
		port := int(binary.BigEndian.Uint16(b[header+2:]))
		name := map[byte]string{unix.IPPROTO_UDP: "UDP", unix.IPPROTO_TCP: "TCP"}[b[9]]
		return name + " to " + (&net.TCPAddr{IP: b[16:20], Port: port}).String()
	case ethertype == unix.ETH_P_IPV6 && len(b) >= 40 && b[6] != unix.IPPROTO_TCP && b[6] != unix.IPPROTO_UDP:
		return ""
	case ethertype == unix.ETH_P_IPV6:
		return "IPv6"
	case ethertype == unix.ETH_P_ARP:
		return "ARP"
	}
	return "something else"
}
