package netlab

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// How a router translates the ports of the network behind it.
const (
	samePort   = 0                                    // to the same one wherever it can, whoever is talked to: a hole can be punched
	randomPort = unix.NF_NAT_RANGE_PROTO_RANDOM_FULLY // to another one for each connection: none can
)

// behindNAT adds a router to a network, and makes one of private addresses behind it, of which from outside only answers are
// let in. All such networks have the same addresses.
func (l *lan) behindNAT(ports uint32) *lan {
	l.t.Helper()
	router := l.machine()
	inner := &lan{t: l.t, hub: mustSpace(l.t), gateway: "192.168.1.1", outside: router.ip4}
	must(l.t, inner.hub.ip("link set lo up", "link add br0 type bridge", "link set br0 up",
		"link add name gate type veth peer name eth1 netns "+router.path, "link set gate master br0 up"))
	must(l.t, router.ip("link set eth1 up", "addr add 192.168.1.1/24 dev eth1"))
	must(l.t, router.do(func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644) }))
	must(l.t, router.do(func() error { return masquerade(ports) }))
	return inner
}

// masquerade makes the namespace of this thread a router that shows the hosts behind it under its own address, and answers
// nobody itself.
func masquerade(ports uint32) error {
	const (
		table = unix.NFT_MSG_NEWTABLE
		chain = unix.NFT_MSG_NEWCHAIN
		rule  = unix.NFT_MSG_NEWRULE
	)
	var b batch
	b.message(unix.NFNL_MSG_BATCH_BEGIN, unix.AF_UNSPEC, 0)
	b.nft(table, text(unix.NFTA_TABLE_NAME, "router"))
	b.nft(chain, text(unix.NFTA_CHAIN_TABLE, "router"), text(unix.NFTA_CHAIN_NAME, "out"), text(unix.NFTA_CHAIN_TYPE, "nat"),
		hook(unix.NF_INET_POST_ROUTING, 100))
	b.nft(rule, text(unix.NFTA_RULE_TABLE, "router"), text(unix.NFTA_RULE_CHAIN, "out"),
		nested(unix.NFTA_RULE_EXPRESSIONS, nested(unix.NFTA_LIST_ELEM,
			text(unix.NFTA_EXPR_NAME, "masq"), nested(unix.NFTA_EXPR_DATA, number(unix.NFTA_MASQ_FLAGS, ports)))))
	b.nft(chain, text(unix.NFTA_CHAIN_TABLE, "router"), text(unix.NFTA_CHAIN_NAME, "in"), text(unix.NFTA_CHAIN_TYPE, "filter"),
		hook(unix.NF_INET_LOCAL_IN, 0), number(unix.NFTA_CHAIN_POLICY, 0)) // 0 drops what no rule takes
	b.message(unix.NFNL_MSG_BATCH_END, unix.AF_UNSPEC, 0)
	return b.carryOut()
}

// batch is messages to the kernel's packet filter, which carries out all of them or none.
type batch struct {
	bytes []byte
	count uint32 // of those that are acknowledged
}

// message adds a message with attributes.
func (b *batch) message(kind, family uint16, flags uint16, attrs ...[]byte) {
	start := len(b.bytes)
	b.bytes = append(b.bytes, make([]byte, unix.SizeofNlMsghdr)...)
	b.bytes = append(b.bytes, byte(family), unix.NFNETLINK_V0)
	b.bytes = binary.BigEndian.AppendUint16(b.bytes, unix.NFNL_SUBSYS_NFTABLES)
	for _, a := range attrs {
		b.bytes = append(b.bytes, a...)
	}
	head := b.bytes[start:]
	binary.NativeEndian.PutUint32(head, uint32(len(head)))
	binary.NativeEndian.PutUint16(head[4:], kind)
	binary.NativeEndian.PutUint16(head[6:], unix.NLM_F_REQUEST|flags)
	binary.NativeEndian.PutUint32(head[8:], b.count)
}

// nft adds a message that makes something, and is acknowledged.
func (b *batch) nft(kind uint16, attrs ...[]byte) {
	b.count++
	b.message(unix.NFNL_SUBSYS_NFTABLES<<8|kind, unix.AF_INET, unix.NLM_F_CREATE|unix.NLM_F_APPEND|unix.NLM_F_ACK, attrs...)
}

// attr is an attribute, padded to four bytes.
func attr(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, (4-len(b)%4)%4)...)
}

func text(kind uint16, s string) []byte { return attr(kind, append([]byte(s), 0)) }

func number(kind uint16, n uint32) []byte { return attr(kind, binary.BigEndian.AppendUint32(nil, n)) }

func nested(kind uint16, attrs ...[]byte) []byte {
	var all []byte
	for _, a := range attrs {
		all = append(all, a...)
	}
	return attr(kind|unix.NLA_F_NESTED, all)
}

// hook is where a chain is passed through.
func hook(at, priority uint32) []byte {
	return nested(unix.NFTA_CHAIN_HOOK, number(unix.NFTA_HOOK_HOOKNUM, at), number(unix.NFTA_HOOK_PRIORITY, priority))
}

// carryOut sends the batch, and waits for all acknowledgements.
func (b *batch) carryOut() error {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return fmt.Errorf("talking to the packet filter: %w", err)
	}
	defer unix.Close(s)
	if err := unix.Sendto(s, b.bytes, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("talking to the packet filter: %w", err)
	}
	answer := make([]byte, 1<<16)
	for seen := uint32(0); seen < b.count; {
		n, _, err := unix.Recvfrom(s, answer, 0)
		if err != nil {
			return fmt.Errorf("listening to the packet filter: %w", err)
		}
		for rest := answer[:n]; len(rest) >= unix.SizeofNlMsghdr+4; seen++ {
			size := min(int(binary.NativeEndian.Uint32(rest)+3)&^3, len(rest))
			code := int32(binary.NativeEndian.Uint32(rest[unix.SizeofNlMsghdr:]))
			if kind := binary.NativeEndian.Uint16(rest[4:]); kind != unix.NLMSG_ERROR || code != 0 {
				return fmt.Errorf("the packet filter refuses message %d: %w", binary.NativeEndian.Uint32(rest[8:]), unix.Errno(-code))
			}
			rest = rest[size:]
		}
	}
	return nil
}

// bind opens a UDP socket on a machine, at a port of its own address.
func (m *machine) bind(port int) (c *net.UDPConn) {
	m.t.Helper()
	must(m.t, m.do(func() (err error) {
		c, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(m.ip4), Port: port})
		return err
	}))
	m.t.Cleanup(func() { c.Close() })
	return c
}

// heard waits for the next datagram, and returns from where it came; nil when there is none for a while.
func heard(c *net.UDPConn, patience time.Duration) *net.UDPAddr {
	c.SetReadDeadline(time.Now().Add(patience))
	_, from, err := c.ReadFromUDP(make([]byte, 100))
	if err != nil {
		return nil
	}
	return from
}

func say(t testing.TB, c *net.UDPConn, to string, port int) {
	t.Helper()
	_, err := c.WriteToUDP([]byte("hello"), &net.UDPAddr{IP: net.ParseIP(to), Port: port})
	must(t, err)
}

// TestNAT tries the routers of these tests: who is behind one is seen under its address, gets answers and nothing else; and
// two who send to each other's routers at the same time get through when these keep the ports, and only then.
func TestNAT(t *testing.T) {
	t.Parallel()
	for name, ports := range map[string]uint32{"same port": samePort, "random port": randomPort} {
		t.Run(name, func(t *testing.T) {
			l := newInternet(t)
			far := l.machine()
			one, two := l.behindNAT(ports), l.behindNAT(ports)
			server, a, b := far.bind(1000), one.machine().bind(2000), two.machine().bind(3000)
			say(t, a, far.ip4, 1000)
			seen := heard(server, patience)
			if seen == nil || seen.IP.String() != one.outside || seen.Port == 2000 != (ports == samePort) {
				t.Fatalf("seen as %v, the router is %s", seen, one.outside)
			}
			say(t, server, one.outside, seen.Port)
			if heard(a, patience) == nil {
				t.Fatal("no answer")
			}
			say(t, b, far.ip4, 1000)
			other := heard(server, patience)
			say(t, b, one.outside, seen.Port)
			if heard(a, 300*time.Millisecond) != nil {
				t.Fatal("who was not written to comes in")
			}
			through := false
			for range 10 { // the first of each opens the way for the other's
				say(t, a, two.outside, other.Port)
				say(t, b, one.outside, seen.Port)
				through = through || heard(a, 20*time.Millisecond) != nil && heard(b, 20*time.Millisecond) != nil
			}
			if through != (ports == samePort) {
				t.Errorf("they get through: %v", through)
			}
		})
	}
}
