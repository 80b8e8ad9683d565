package config

import (
	"errors"
	"strings"
	"testing"
)

func TestSet(t *testing.T) {
	text := []byte("# mine\n[network]\n# the port\nport = 1 # old\nlisten = [\n  \"tcp://:1\",\n  \"tcp://:2\",\n]\n\n[discovery]\n# profile = 'public'\n")
	for _, c := range []struct{ key, value, want string }{
		{"network.port", "4000", "port = 4000"},
		{"network.listen", "tcp://:3,/ip4/127.0.0.1/tcp/1", "listen = ['tcp://:3', '/ip4/127.0.0.1/tcp/1']"},
		{"discovery.profile", "lan", "profile = 'lan'"},
		{"limits.memory", "64MiB", "[limits]\nmemory = '64MiB'"},
		{"network.relay", "off", "relay = 'off'"},
	} {
		out, err := Set("file", text, c.key, c.value)
		if err != nil || !strings.Contains(string(out), c.want) || !strings.Contains(string(out), "# mine\n") {
			t.Fatalf("%s: %v\n%s", c.key, err, out)
		}
		text = out
	}
	if strings.Count(string(text), "port =") != 1 || strings.Contains(string(text), "tcp://:2") {
		t.Fatalf("%s", text)
	}
	out, err := Unset("file", text, "network.port")
	if err != nil || strings.Contains(string(out), "port = ") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Every key of the sample can be set to its default, and read back.
func TestSetSample(t *testing.T) {
	text := []byte(Sample())
	c := Default()
	for f := range fields(&c) {
		value := strings.Trim(strings.ReplaceAll(stringOf(f), " ", ","), "[]")
		out, err := Set("file", text, f.name(), value)
		if err != nil {
			t.Fatalf("%s=%s: %v", f.name(), value, err)
		}
		if strings.Count(string(out), "\n") != strings.Count(string(text), "\n") {
			t.Fatalf("%s: a line more or less\n%s", f.name(), out)
		}
		text = out
	}
}

func TestSetWrong(t *testing.T) {
	for _, c := range []struct{ text, key, value string }{
		{"", "network.prot", "1"},
		{"", "network.port", "x"},
		{"", "network.port", "70000"},
		{"", "discovery.profile", "somewhere"},
		{"[network]\nprot = 1\n", "network.port", "1"},
		{"network.port = 1\n", "network.port", "2"},
	} {
		if out, err := Set("file", []byte(c.text), c.key, c.value); err == nil {
			t.Errorf("%q: %s=%s: %s", c.text, c.key, c.value, out)
		}
	}
	if err := Parse("file", []byte("[network]\nprot = 1\n")); !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
}
