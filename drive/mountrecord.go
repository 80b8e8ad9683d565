package drive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
)

// Mount is what an entry says of the drive that is mounted at its path.
type Mount struct {
	// Key is that of the drive.
	Key keys.Key
	// Version pins the drive to a version; 0 follows it.
	Version uint64
	// Path is the folder of the drive that is shown, "" for all of it.
	Path string
	// Fork and Hash make a pin that holds against a second history: the fork of the drive's core of entries, and its tree hash at
	// Version. They count if Hash is not zero.
	Fork uint64
	Hash merkle.Hash
}

// check tells why a mount cannot be.
func (m *Mount) check() error {
	if m.Key.IsZero() || m.Version > compact.MaxSafe || m.Fork > compact.MaxSafe {
		return fmt.Errorf("%w: no key, or a number above 2^53-1", ErrInvalidMount)
	}
	if p, err := cleanFolder(m.Path); err != nil || p != m.Path {
		return fmt.Errorf("%w: the path %.80q", ErrInvalidMount, m.Path)
	}
	if m.Version == 0 && m.Hash != (merkle.Hash{}) {
		return fmt.Errorf("%w: a hash without a version", ErrInvalidMount)
	}
	return nil
}

// json is the record: {"key":HEX,"version":N,"path":PATH,"fork":N,"hash":HEX}, without what is not set.
func (m *Mount) json() []byte {
	b := append([]byte(`{"key":"`), m.Key.Hex()...)
	b = append(b, '"')
	if m.Version > 0 {
		b = strconv.AppendUint(append(b, `,"version":`...), m.Version, 10)
	}
	if m.Path != "" {
		b = appendString(append(b, `,"path":`...), m.Path)
	}
	if m.Hash != (merkle.Hash{}) {
		b = strconv.AppendUint(append(b, `,"fork":`...), m.Fork, 10)
		b = append(b, fmt.Sprintf(`,"hash":"%x"`, m.Hash[:])...)
	}
	return append(b, '}')
}

// withMount returns the entry with the mount that its metadata speaks of. A record that cannot be read makes an ordinary file, which
// cannot be opened.
func (e Entry) withMount() Entry {
	if e.Metadata == nil || e.Link != "" || e.Blob != nil && e.Blob.ByteLength > 0 || !bytes.Contains(e.Metadata, []byte(`"mount"`)) {
		return e
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(e.Metadata, &fields) != nil {
		return e
	}
	if raw := bytes.TrimSpace(fields["mount"]); len(raw) > 0 && raw[0] == '{' {
		if e.Mount = parseMount(raw); e.Mount == nil {
			e.badMount = true
		}
	}
	return e
}

// parseMount reads a record, or returns nil.
func parseMount(raw []byte) *Mount {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil
	}
	var m Mount
	var key, hash string
	if json.Unmarshal(fields["key"], &key) != nil || len(key) != 64 && len(key) != 52 {
		return nil
	}
	var err error
	if m.Key, err = keys.Parse(key); err != nil {
		return nil
	}
	if raw, ok := fields["path"]; ok && (json.Unmarshal(raw, &m.Path) != nil || isNull(raw)) {
		return nil
	}
	if m.Path == "/" {
		m.Path = ""
	}
	if raw, ok := fields["version"]; ok {
		if m.Version, ok = whole(raw); !ok || m.Version == 0 {
			return nil
		}
	}
	if raw, ok := fields["hash"]; ok {
		if m.Fork, ok = whole(fields["fork"]); !ok || json.Unmarshal(raw, &hash) != nil || len(hash) != 64 {
			return nil
		}
		k, err := keys.Parse(hash)
		if err != nil {
			return nil
		}
		m.Hash = merkle.Hash(k)
	}
	if m.check() != nil {
		return nil
	}
	return &m
}

// whole reads a whole number, however JSON has it: 12, 1.2e1.
func whole(raw []byte) (uint64, bool) {
	n, err := strconv.ParseFloat(string(bytes.TrimSpace(raw)), 64)
	if err != nil || n < 0 || n > compact.MaxSafe || n != math.Trunc(n) {
		return 0, false
	}
	return uint64(n), true
}
