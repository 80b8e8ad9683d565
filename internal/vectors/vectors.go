// Package vectors gives tests the golden data: what the JavaScript stack made and answered for fixed inputs.
//
// The data lies in the folder data beside this file. The environment variable HYPERNODE_VECTORS names another folder
// with files of the same names and the same schema, to run the same tests against other data.
package vectors

import (
	"bytes"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

//go:embed data/*.json
var embedded embed.FS

// Load decodes the file name (for example "crypto.json") into v and fails the test when it cannot.
func Load(t testing.TB, name string, v any) {
	t.Helper()
	b, err := fs.ReadFile(folder(), name)
	if err != nil {
		t.Fatalf("golden data: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		t.Fatalf("golden data: %s: %v", name, err)
	}
}

func folder() fs.FS {
	if dir := os.Getenv("HYPERNODE_VECTORS"); dir != "" {
		return os.DirFS(dir)
	}
	sub, err := fs.Sub(embedded, "data")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	return sub
}

// Hex is a byte string that the golden data writes in hexadecimal; null decodes as nil.
type Hex []byte

// UnmarshalJSON implements json.Unmarshaler.
func (h *Hex) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s == nil {
		*h = nil
		return nil
	}
	raw, err := hex.DecodeString(*s)
	if err != nil {
		return fmt.Errorf("hex %.20q: %w", *s, err)
	}
	*h = raw
	return nil
}

// String gives the hexadecimal form back.
func (h Hex) String() string { return hex.EncodeToString(h) }

// Array32 returns the 32 bytes of h and fails the test when there are fewer or more.
func (h Hex) Array32(t testing.TB) (a [32]byte) {
	t.Helper()
	if len(h) != 32 {
		t.Fatalf("golden data: %d bytes where 32 are due", len(h))
	}
	copy(a[:], h)
	return a
}
