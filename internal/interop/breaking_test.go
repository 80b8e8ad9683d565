package interop

import (
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"testing"
)

// breaking passes connections on to a port; each of the first ones breaks after so many bytes that came from there.
func breaking(t *testing.T, port int, bytes ...int64) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var loops sync.WaitGroup
	loops.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			most := int64(math.MaxInt64)
			if len(bytes) > 0 {
				most, bytes = bytes[0], bytes[1:]
			}
			loops.Go(func() { passOn(conn, port, most) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		loops.Wait()
		if len(bytes) > 0 {
			t.Errorf("%d connections were not made", len(bytes))
		}
	})
	return listener.Addr().(*net.TCPAddr).Port
}

// passOn joins a connection to a port until either ends, or most bytes have come from there.
func passOn(conn net.Conn, port int, most int64) {
	defer conn.Close()
	to, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(to, conn)
		to.Close()
	})
	io.CopyN(conn, to, most)
	to.Close()
	conn.Close()
	back.Wait()
}
