package drive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"unicode/utf8"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/drive/blobs"
)

// MaxEntry is the greatest size of an entry's value in bytes.
const MaxEntry = 1 << 20

// encode returns the value of an entry as it is stored, the same bytes that JavaScript writes:
// {"executable":false,"linkname":null,"blob":null,"metadata":null}. The metadata is compact.
func (e *Entry) encode() []byte {
	b := append(make([]byte, 0, 192), `{"executable":`...)
	b = strconv.AppendBool(b, e.Executable)
	b = append(b, `,"linkname":`...)
	if e.Link == "" {
		b = append(b, "null"...)
	} else {
		b = appendString(b, e.Link)
	}
	b = append(b, `,"blob":`...)
	if e.Blob == nil {
		b = append(b, "null"...)
	} else {
		b = e.Blob.AppendJSON(b)
	}
	b = append(b, `,"metadata":`...)
	if e.Metadata == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, e.Metadata...)
	}
	return append(b, '}')
}

// appendString appends a string as JSON.stringify prints it: nothing is escaped but quotes, backslashes and control characters.
func appendString(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\b':
			b = append(b, `\b`...)
		case r == '\f':
			b = append(b, `\f`...)
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < 0x20:
			b = append(b, `\u00`...)
			b = append(b, hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// metadata returns the JSON text that a Meta is kept as, nil for null.
func (m *Meta) metadata() (json.RawMessage, error) {
	if m.ModTime.IsZero() && m.Mode == 0 {
		return compactJSON(m.Metadata)
	}
	if m.Metadata != nil {
		return nil, fmt.Errorf("%w: metadata beside a time or a mode", ErrEntry)
	}
	b := []byte("{")
	if !m.ModTime.IsZero() {
		b = strconv.AppendInt(append(b, `"mtime":`...), m.ModTime.UnixMilli(), 10)
	}
	if m.Mode != 0 {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(append(b, `"mode":`...), uint64(m.Mode&fs.ModePerm), 10)
	}
	return append(b, '}'), nil
}

// decodeEntry reads the value of an entry. The value is suspect. It fails with ErrEntry.
func decodeEntry(value []byte) (e Entry, err error) {
	if len(value) > MaxEntry {
		return e, fmt.Errorf("%w: %d bytes, at most %d", ErrEntry, len(value), MaxEntry)
	}
	s := scanner{rest: value}
	if e, ok := s.entry(); ok {
		return e.withMount(), nil
	}
	if e, err = decodeAny(value); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	return e.withMount(), nil
}

// decodeAny reads an entry however it is printed. Names count as they are spelled; what is missing is null or false, and what
// is not known is left out.
func decodeAny(value []byte) (e Entry, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(value, &fields); err != nil {
		return e, err
	}
	if fields == nil {
		return e, fmt.Errorf("null")
	}
	var link *string
	for name, to := range map[string]any{"executable": &e.Executable, "linkname": &link} {
		if raw, ok := fields[name]; ok {
			if err := json.Unmarshal(raw, to); err != nil {
				return e, err
			}
		}
	}
	if link != nil {
		e.Link = *link
	}
	if raw := fields["blob"]; len(raw) > 0 && !isNull(raw) {
		e.Blob = new(blobs.ID)
		if err := json.Unmarshal(raw, e.Blob); err != nil {
			return e, err
		}
	}
	if raw := fields["metadata"]; len(raw) > 0 && !isNull(raw) {
		e.Metadata = bytes.Clone(raw)
	}
	return e, nil
}

func isNull(raw []byte) bool { return string(bytes.TrimSpace(raw)) == "null" }

// compactJSON prints a JSON text as JavaScript does; null is nil.
func compactJSON(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 || isNull(raw) {
		return nil, nil
	}
	b, err := bee.AppendJSON(nil, raw)
	if err == nil && len(b) > MaxEntry/2 {
		err = fmt.Errorf("%d bytes, at most %d", len(b), MaxEntry/2)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: metadata: %w", ErrEntry, err)
	}
	return b, nil
}
