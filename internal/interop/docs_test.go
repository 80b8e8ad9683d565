package interop

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"golang.org/x/crypto/blake2b"
)

// TestProtocolDocument does what docs/protocol.md says to its own example: who follows the text gets the values.
func TestProtocolDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(scripts(), "..", "..", "..", "docs", "protocol.md"))
	if err != nil {
		t.Fatal(err)
	}
	value := func(expression string) []byte {
		t.Helper()
		m := regexp.MustCompile("(?m)" + expression).FindSubmatch(text)
		if m == nil {
			t.Fatalf("the document has no %s", expression)
		}
		b, err := hex.DecodeString(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	row := func(name string) []byte {
		t.Helper()
		return value(`^\| ` + name + " \\| `([0-9a-f]+)` \\|$")
	}
	same := func(what string, got, want []byte) {
		t.Helper()
		if !bytes.Equal(got, want) {
			t.Errorf("the %s is %x in the document, %x by it", what, want, got)
		}
	}
	hash := blake2b.Sum512(bytes.Join([][]byte{
		[]byte("hypernode/libp2p-binding/1"),
		prefixed(row("initiator's peer id")), prefixed(row("responder's peer id")),
		row("initiator's nonce"), row("responder's nonce"),
	}, nil))
	same("handshake hash", hash[:], row("handshake hash"))
	key := row("core key")
	discovery := keyed(t, key, []byte("hypercore"))
	same("discovery key", discovery, row("discovery key"))
	capability := keyed(t, hash[:], value(`initiator +([0-9a-f]{64})$`), key)
	same("initiator's capability", capability, row("initiator's capability"))
	same("responder's capability", keyed(t, hash[:], value(`responder +([0-9a-f]{64})$`), key), row("responder's capability"))

	open := append([]byte{0, 1, 1, 15}, "hypercore/alpha"...)
	open = append(append(open, 32), discovery...)
	open = append(append(open, 1), capability...)
	same("first frame", append([]byte{byte(len(open)), 0, 0}, open...), value(`^ +(55[0-9a-f]{100,})$`))
	same("first sync", []byte{6, 0, 0, 1, 0, 7, 0, 0, 0}, value(`^ +(06[0-9a-f]+)$`))
}

// prefixed puts a length of 2 bytes in front.
func prefixed(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }

// keyed is the BLAKE2b-256 of what is joined, with a key.
func keyed(t *testing.T, key []byte, parts ...[]byte) []byte {
	t.Helper()
	h, err := blake2b.New256(key)
	if err != nil {
		t.Fatal(err)
	}
	h.Write(bytes.Join(parts, nil))
	return h.Sum(nil)
}
