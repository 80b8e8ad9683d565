package bee

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendJSON appends v as JSON.stringify prints it: no spaces, no more escapes than due, numbers as JavaScript has them (which
// has no more than 53 bits for a whole one), members whose names are whole numbers first, in ascending order, of members with
// one name the last, in the place of the first. It takes what encoding/json takes; a json.RawMessage is a document whose
// members keep their order otherwise.
func AppendJSON(dst []byte, v any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("bee: encoding JSON: %w", err)
	}
	p := &jsonPrinter{in: text.Bytes()}
	return p.value(dst), nil
}

// jsonPrinter prints a document anew. The input has been found valid and has no spaces outside strings but one at its end.
type jsonPrinter struct {
	in []byte
}

func (p *jsonPrinter) value(dst []byte) []byte {
	switch p.in[0] {
	case '{':
		return p.object(dst)
	case '[':
		return p.array(dst)
	case '"':
		return p.text(dst)
	case 't', 'n':
		return p.word(dst, 4)
	case 'f':
		return p.word(dst, 5)
	}
	return p.number(dst)
}

func (p *jsonPrinter) word(dst []byte, n int) []byte {
	dst, p.in = append(dst, p.in[:n]...), p.in[n:]
	return dst
}

func (p *jsonPrinter) array(dst []byte) []byte {
	dst = append(dst, '[')
	for p.in = p.in[1:]; p.in[0] != ']'; {
		if p.in[0] == ',' {
			dst = p.word(dst, 1)
		}
		dst = p.value(dst)
	}
	return p.word(dst, 1)
}

// member is a printed member of an object.
type member struct {
	name, value []byte
	index       uint64 // of a name that is a whole number
	indexed     bool
}

func (p *jsonPrinter) object(dst []byte) []byte {
	var list []member
	places := make(map[string]int)
	for p.in = p.in[1:]; p.in[0] != '}'; {
		if p.in[0] == ',' {
			p.in = p.in[1:]
		}
		m := member{name: p.text(nil)}
		p.in = p.in[1:] // the colon
		m.value = p.value(nil)
		m.index, m.indexed = arrayIndex(m.name[1 : len(m.name)-1])
		if at, ok := places[string(m.name)]; ok {
			list[at].value = m.value
			continue
		}
		places[string(m.name)] = len(list)
		list = append(list, m)
	}
	p.in = p.in[1:]
	slices.SortStableFunc(list, compareMembers)
	dst = append(dst, '{')
	for i, m := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, m.name...), ':'), m.value...)
	}
	return append(dst, '}')
}

func compareMembers(a, b member) int {
	switch {
	case a.indexed && b.indexed:
		return cmp.Compare(a.index, b.index)
	case a.indexed:
		return -1
	case b.indexed:
		return 1
	}
	return 0
}

// arrayIndex tells whether a name is a whole number below 2^32-1 in its shortest form.
func arrayIndex(name []byte) (uint64, bool) {
	if len(name) == 0 || len(name) > 10 || name[0] == '0' && len(name) > 1 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range name {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, n < math.MaxUint32
}

// text prints a string.
func (p *jsonPrinter) text(dst []byte) []byte {
	dst = append(dst, '"')
	for p.in = p.in[1:]; p.in[0] != '"'; {
		switch r, n := p.char(); {
		case utf16.IsSurrogate(r):
			low, m := rune(0), 0
			if rest := p.in[n:]; rest[0] == '\\' && rest[1] == 'u' {
				next := jsonPrinter{in: rest}
				low, m = next.char()
			}
			if whole := utf16.DecodeRune(r, low); whole != utf8.RuneError {
				dst, n = utf8.AppendRune(dst, whole), n+m
			} else {
				dst = fmt.Appendf(dst, `\u%04x`, r)
			}
			p.in = p.in[n:]
		default:
			dst, p.in = appendChar(dst, r), p.in[n:]
		}
	}
	p.in = p.in[1:]
	return append(dst, '"')
}

// char reads one character, or one half of a pair of escapes, and tells how many bytes it takes.
func (p *jsonPrinter) char() (r rune, n int) {
	if p.in[0] != '\\' {
		return utf8.DecodeRune(p.in)
	}
	if p.in[1] != 'u' {
		return unescape(p.in[1]), 2
	}
	v, _ := strconv.ParseUint(string(p.in[2:6]), 16, 16) // it is valid
	return rune(v), 6
}

// unescape returns what a backslash and a letter stand for.
func unescape(c byte) rune {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return rune(c)
}

func appendChar(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if r < 0x20 {
		return fmt.Appendf(dst, `\u%04x`, r)
	}
	return utf8.AppendRune(dst, r)
}

func (p *jsonPrinter) number(dst []byte) []byte {
	n := 0
	for n < len(p.in) && bytes.IndexByte([]byte("+-.eE0123456789"), p.in[n]) >= 0 {
		n++
	}
	v, _ := strconv.ParseFloat(string(p.in[:n]), 64) // too large a number is infinite
	p.in = p.in[n:]
	return appendNumberJS(dst, v)
}

// appendNumberJS appends a number as JavaScript prints it in JSON. What is not finite is null.
func appendNumberJS(dst []byte, v float64) []byte {
	switch {
	case math.IsInf(v, 0) || math.IsNaN(v):
		return append(dst, "null"...)
	case v == 0:
		return append(dst, '0')
	case v < 0:
		dst, v = append(dst, '-'), -v
	}
	if v >= 1e21 || v < 1e-6 {
		return appendExponent(dst, v)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

// appendExponent appends v with the exponent in as few digits as it has.
func appendExponent(dst []byte, v float64) []byte {
	text := strconv.AppendFloat(nil, v, 'e', -1, 64)
	at := bytes.IndexByte(text, 'e')
	dst = append(append(dst, text[:at]...), 'e', text[at+1])
	return append(dst, bytes.TrimLeft(text[at+2:], "0")...)
}
