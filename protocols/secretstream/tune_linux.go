package secretstream

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsentBytes is how much the kernel takes that it cannot send yet. What it takes cannot be overtaken by what is more
// urgent, so it is little; what is sent and not acknowledged does not count.
const unsentBytes = 64 << 10

// tune bounds what waits in the kernel. A connection that is not TCP, or does not allow it, works without.
func tune(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentBytes)
	})
}
