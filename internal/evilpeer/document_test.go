package evilpeer

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/blake2b"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// document is docs/protocol.md.
type document struct {
	t    *testing.T
	text string
}

// value returns what the document's example has in the row of that name.
func (d *document) value(name string) []byte {
	d.t.Helper()
	row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(name) + " \\| `([0-9a-f]+)` \\|$").FindStringSubmatch(d.text)
	if row == nil {
		d.t.Fatalf("no example of the %s", name)
	}
	return unhex(d.t, row[1])
}

// has fails the test when the document does not show these bytes on a line of their own.
func (d *document) has(what string, b []byte) {
	d.t.Helper()
	if !strings.Contains(d.text, "\n    "+hex.EncodeToString(b)+"\n") {
		d.t.Errorf("the document shows %s otherwise than %x", what, b)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of the protocol's document is what the rules in it and the code make.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	d := &document{t, string(b)}
	hash := blake2b.Sum512(d.binding())
	if got := d.value("handshake hash"); string(got) != string(hash[:]) {
		t.Errorf("handshake hash %x, want %x", got, hash)
	}
	key := keys.Key(d.value("core key"))
	discovery := key.Discovery()
	if got := d.value("discovery key"); string(got) != string(discovery[:]) {
		t.Errorf("discovery key %x, want %x", got, discovery)
	}
	for role, initiator := range map[string]bool{"initiator": true, "responder": false} {
		want := wire.Capability(&hash, initiator, key)
		if got := d.value(role + "'s capability"); string(got) != string(want[:]) {
			t.Errorf("%s's capability %x, want %x", role, got, want)
		}
	}
	shake := wire.Handshake{Seeks: true, Capability: wire.Capability(&hash, true, key)}
	d.has("the open", framed(open(1, wire.Protocol, discovery[:], shake.Append(nil))))
	first := wire.Sync{CanUpgrade: true, Uploading: true, Downloading: true}
	d.has("the sync", framed(message(1, wire.TypeSync, first.Append(nil))))
	initiator, responder := keys.ReplicateInitiator(), keys.ReplicateResponder()
	for _, role := range [][]byte{initiator[:], responder[:]} {
		if !strings.Contains(d.text, hex.EncodeToString(role)) {
			t.Errorf("the document lacks the constant %x", role)
		}
	}
}

// binding is what the handshake hash of the example is made of.
func (d *document) binding() []byte {
	b := []byte("hypernode/libp2p-binding/1")
	for _, name := range []string{"initiator's peer id", "responder's peer id"} {
		id := d.value(name)
		b = append(append(b, byte(len(id)>>8), byte(len(id))), id...)
	}
	return append(append(b, d.value("initiator's nonce")...), d.value("responder's nonce")...)
}

func framed(m mux.Message) []byte {
	b := mux.AppendMessage(nil, m)
	return append([]byte{byte(len(b)), byte(len(b) >> 8), byte(len(b) >> 16)}, b...)
}
