package netlab

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hypernode/hypernode/core/keys"
)

// tap sees every packet that passes the bridge.
type tap struct {
	mu    sync.Mutex
	bytes int
	seen  map[string]int // how often each text was
	stop  func()
}

// listen looks for texts in all that passes, until stop is called.
func (l *lan) listen(texts map[string][]byte) *tap {
	l.t.Helper()
	var fd int
	must(l.t, l.hub.do(func() (err error) {
		all := uint16(unix.ETH_P_ALL)<<8 | uint16(unix.ETH_P_ALL)>>8
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all)); err != nil {
			return err
		}
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20)
		return unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 20_000})
	}))
	x := &tap{seen: map[string]int{}}
	end, ended := make(chan struct{}), make(chan struct{})
	x.stop = sync.OnceFunc(func() {
		close(end)
		<-ended
		unix.Close(fd)
	})
	l.t.Cleanup(x.stop)
	go func() {
		defer close(ended)
		for b := make([]byte, 1<<17); ; {
			n, _, err := unix.Recvfrom(fd, b, 0)
			if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
				select {
				case <-end:
					return // and all that came before was seen
				default:
					continue
				}
			}
			if err != nil {
				return
			}
			x.packet(b[:n], texts)
		}
	}()
	return x
}

func (x *tap) packet(b []byte, texts map[string][]byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.bytes += len(b)
	for name, text := range texts {
		if bytes.Contains(b, text) {
			x.seen[name]++
		}
	}
}

// TestWiretap sees all packets of sharing and fetching, of finding each other too. The drive's key is not in them in any
// form, nor is what is shared, nor are names.
func TestWiretap(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"tcp", "quic", "websocket"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, folder := newLAN(t), t.TempDir()
			const file, secret = "a-name-that-stands-out.txt", "words that are nowhere else, and 64 bytes long, so that all sees"
			must(t, os.WriteFile(filepath.Join(folder, file), []byte(strings.Repeat(secret, 5000)), 0o600))
			with := func(bootstrap ...string) settings { return onLAN(bootstrap...).speaking(name) }
			once := l.machine()
			once.hypernode("share", append(settings{"share", folder, "--once"}, quiet()...)...).ok() // makes the key
			p := once.hypernode("share", append(settings{"share", folder, "--once"}, quiet()...)...)
			var made shared
			p.line(&made)
			key := parseKey(t, made.Key)
			x := l.listen(map[string][]byte{
				"the key": key[:], "the key in hexadecimal": []byte(hex.EncodeToString(key[:])), "the key in z-base-32": []byte(key.String()),
				"the contents": []byte(secret), "the name of a file": []byte(file), "what is not encrypted": []byte("/multistream/1.0.0"),
			})
			boot := l.machine().run(with())
			once.share(folder, with(boot.at()))
			m := l.machine()
			m.get(made.Key, with(boot.at())).result()
			same(t, folder, m.copy())
			time.Sleep(50 * time.Millisecond) // the last packets
			x.stop()
			if x.bytes < 5000*len(secret) {
				t.Fatalf("only %d bytes were seen", x.bytes)
			}
			if x.seen["what is not encrypted"] == 0 && name == "tcp" {
				t.Error("the tap sees nothing")
			}
			delete(x.seen, "what is not encrypted")
			for what, times := range x.seen {
				t.Errorf("%s was seen in %d packets", what, times)
			}
		})
	}
}

func parseKey(t testing.TB, address string) keys.Key {
	t.Helper()
	k, err := keys.Parse(strings.TrimPrefix(address, "hyper://"))
	must(t, err)
	return k
}

func discoveryKey(t testing.TB, address string) keys.DiscoveryKey {
	t.Helper()
	return parseKey(t, address).Discovery()
}
