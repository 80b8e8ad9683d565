package secretstream

import (
	"context"
	"net"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tcp returns the two ends of a connection over the loopback device.
func tcp(t testing.TB) (dialled, accepted net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	dialled, err = net.Dial("tcp", l.Addr().String())
	must(t, err)
	accepted, err = l.Accept()
	must(t, err)
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	return dialled, accepted
}

// shake makes secret streams of both ends.
func shake(t testing.TB, a, b net.Conn, oa, ob Options) (client, server *Conn) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		var err error
		server, err = Server(context.Background(), b, ob)
		done <- err
	}()
	client, err := Client(context.Background(), a, oa)
	must(t, err)
	must(t, <-done)
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}
