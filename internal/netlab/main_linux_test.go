package netlab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaryEnv names the built command to the tests. Who sets it has them try that one, built with the race detector for instance.
const binaryEnv = "HYPERNODE_NETLAB_BINARY"

// TestMain builds the command, or is one of the programs that the tests run beside it.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(play(role))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Geteuid() != 0 || os.Getenv(binaryEnv) != "" {
		return m.Run() // all tests are skipped, or there is a command already
	}
	dir, err := os.MkdirTemp("", "netlab")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := haveTools(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary := filepath.Join(dir, "hypernode")
	if err := build(binary, "github.com/hypernode/hypernode/cmd/hypernode"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv(binaryEnv, binary)
	return m.Run()
}

func build(to, pkg string) error {
	cmd := exec.Command("go", "build", "-o", to, pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// haveTools installs what sets up networks, where it is missing and a continuous run may install things.
func haveTools() error {
	_, ip := exec.LookPath("ip")
	_, tc := exec.LookPath("tc")
	apt, missing := exec.LookPath("apt-get")
	if ip == nil && tc == nil || os.Getenv("CI") == "" || missing != nil {
		return nil
	}
	if out, err := exec.Command(apt, "install", "-y", "--no-install-recommends", "iproute2").CombinedOutput(); err != nil {
		return fmt.Errorf("installing iproute2: %w\n%s", err, out)
	}
	return nil
}
