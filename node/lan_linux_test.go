package node_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/hypernode/hypernode/config"
)

// inNamespace says that the test runs in a network namespace of its own.
const inNamespace = "HYPERNODE_TEST_NAMESPACE"

// TestLAN finds a peer by multicast alone, in a network namespace of its own without any route to the outside.
func TestLAN(t *testing.T) {
	if os.Getenv(inNamespace) != "" {
		testLAN(t)
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
ip link set lan up multicast on && ip route add 224.0.0.0/4 dev lan || exit 99
exec "$0" -test.run '^TestLAN$' -test.timeout 60s -test.v`
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "sh", "-c", script, os.Args[0])
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if e, ok := err.(*exec.ExitError); ok && e.ExitCode() == 99 {
		t.Skipf("a namespace with a LAN cannot be made here: %s", out)
	}
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestLAN")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

func testLAN(t *testing.T) {
	c := local()
	c.Network.Listen = []string{"/ip4/10.77.0.1/tcp/0"}
	c.Discovery.MDNS = config.On
	a, b := start(t, c), start(t, c)
	began := time.Now()
	b.read(t, a.write(t, "core", 3))
	fmt.Println("found in", time.Since(began))
}
