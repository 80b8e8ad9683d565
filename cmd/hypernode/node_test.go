package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/config"
)

// The first run says where peers are looked for, unless the user has said it.
func TestTellProfile(t *testing.T) {
	var b bytes.Buffer
	a := &app{stderr: &b}
	c := config.Default()
	a.tellProfile(c, config.Origin{"discovery.profile": "flag"})
	if b.Len() > 0 {
		t.Fatal(b.String())
	}
	a.tellProfile(c, config.Origin{"discovery.profile": "default"})
	if s := b.String(); !strings.Contains(s, "public IPFS network") || strings.Count(s, "\n") != 1 {
		t.Fatal(s)
	}
}

func TestDrawQR(t *testing.T) {
	s, err := drawQR("hyper://ybndrfg8ejkmcpqxot1uwisza345h769ybndrfg8ejkmcpqxot1y")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for _, l := range lines {
		if n := len([]rune(l)); n != len([]rune(lines[0])) || n/2 > len(lines) {
			t.Fatalf("a line of %d, %d lines", n, len(lines))
		}
	}
	if _, err := drawQR(strings.Repeat("x", 5000)); err == nil {
		t.Fatal("no code is so large")
	}
}
