package drive

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/hypernode/hypernode/drive/blobs"
	"github.com/hypernode/hypernode/internal/compact"
)

// scanner reads entries that are printed as writers print them, which is nearly all, many times faster than a JSON decoder. Whatever
// it does not expect it leaves to that.
type scanner struct{ rest []byte }

// skip takes a text away if it stands here.
func (s *scanner) skip(text string) bool {
	if len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

func (s *scanner) entry() (e Entry, ok bool) {
	if !s.skip(`{"executable":`) {
		return e, false
	}
	if e.Executable = s.skip("true"); !e.Executable && !s.skip("false") {
		return e, false
	}
	if !s.skip(`,"linkname":`) {
		return e, false
	}
	if !s.skip("null") {
		if e.Link, ok = s.text(); !ok {
			return e, false
		}
	}
	if !s.skip(`,"blob":`) {
		return e, false
	}
	if !s.skip("null") {
		if e.Blob, ok = s.blob(); !ok {
			return e, false
		}
	}
	if !s.skip(`,"metadata":`) {
		return e, false
	}
	if string(s.rest) == "null}" {
		return e, true
	}
	n := len(s.rest)
	if n < 2 || s.rest[n-1] != '}' || !json.Valid(s.rest[:n-1]) {
		return e, false
	}
	if raw := s.rest[:n-1]; !isNull(raw) {
		e.Metadata = bytes.Clone(raw)
	}
	return e, true
}

// text reads a string without escapes.
func (s *scanner) text() (string, bool) {
	if !s.skip(`"`) {
		return "", false
	}
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		return "", false
	}
	b := s.rest[:end]
	for _, c := range b {
		if c == '\\' || c < 0x20 {
			return "", false
		}
	}
	s.rest = s.rest[end+1:]
	return string(b), utf8.Valid(b)
}

func (s *scanner) blob() (*blobs.ID, bool) {
	var id blobs.ID
	ok := s.number(`{"blockOffset":`, &id.BlockOffset) && s.number(`,"byteOffset":`, &id.ByteOffset) &&
		s.number(`,"blockLength":`, &id.BlockLength) && s.number(`,"byteLength":`, &id.ByteLength)
	if !ok {
		return nil, false
	}
	id.BlockMap = s.skip(`,"blockMap":true`)
	return &id, s.skip("}") && id.Check() == nil
}

// number reads a text and a whole number behind it.
func (s *scanner) number(name string, to *uint64) bool {
	if !s.skip(name) {
		return false
	}
	var n uint64
	i := 0
	for ; i < len(s.rest) && s.rest[i] >= '0' && s.rest[i] <= '9'; i++ {
		if n = n*10 + uint64(s.rest[i]-'0'); n > compact.MaxSafe {
			return false
		}
	}
	if i == 0 || i > 1 && s.rest[0] == '0' {
		return false
	}
	*to, s.rest = n, s.rest[i:]
	return true
}
