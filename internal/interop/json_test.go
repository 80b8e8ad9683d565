package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/bee"
)

// jsonMaker makes JSON texts of all kinds, by chance.
type jsonMaker struct{ *rand.Rand }

// text returns a text that is nested at most so deep.
func (m jsonMaker) text(depth int) string {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch m.IntN(kinds) {
	case 0:
		return []string{"null", "true", "false"}[m.IntN(3)]
	case 1, 2, 3:
		return m.number()
	case 4, 5:
		return m.str()
	case 6:
		return "[" + m.list(depth, func() string { return m.text(depth - 1) }) + "]"
	}
	return "{" + m.list(depth, func() string { return m.name() + m.space() + ":" + m.space() + m.text(depth-1) }) + "}"
}

func (m jsonMaker) list(depth int, item func() string) string {
	items := make([]string, m.IntN(2+2*depth))
	for i := range items {
		items[i] = m.space() + item() + m.space()
	}
	return strings.Join(items, ",")
}

func (m jsonMaker) space() string { return []string{"", "", "", " ", "\n\t"}[m.IntN(5)] }

// name returns the name of a member: names that are numbers, and such that come twice, are many.
func (m jsonMaker) name() string {
	switch m.IntN(4) {
	case 0:
		return strconv.Quote(strconv.Itoa(m.IntN(30)))
	case 1:
		return []string{`"__proto__"`, `"01"`, `"-1"`, `"4294967294"`, `"4294967295"`, `"a"`, `"\u0061"`, `""`, `"1.5"`}[m.IntN(9)]
	}
	return m.str()
}

func (m jsonMaker) number() string {
	v := math.Float64frombits(m.Uint64())
	switch m.IntN(6) {
	case 0:
		return strconv.FormatInt(int64(m.Uint64()), 10)
	case 1:
		v = float64(m.IntN(2_000_001)-1_000_000) / math.Pow10(m.IntN(12))
	case 2:
		return fmt.Sprintf("%d.%de%+d", m.IntN(10), m.IntN(1000), m.IntN(700)-350)
	case 3:
		return []string{"0", "-0", "-0.0", "1E3", "1e21", "1e20", "123456789012345680000", "1e-6", "1e-7", "9007199254740993", "5e-324",
			"2.5e-324", "1.7976931348623157e308", "1.7976931348623159e308", "-1e400", "0.1", "100.0"}[m.IntN(17)]
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	return strconv.FormatFloat(v, "gef"[m.IntN(3)], -1, 64)
}

func (m jsonMaker) str() string {
	b := []byte{'"'}
	for range m.IntN(8) {
		switch m.IntN(5) {
		case 0:
			b = fmt.Appendf(b, `\u%04x`, m.IntN(1<<16)) // also half of a pair
		case 1:
			b = append(b, []string{`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`, `\ud83d\ude00`, `\uDC00\ud800`}[m.IntN(10)]...)
		case 2:
			b = append(b, []string{"\u2028", "\u2029", "<", ">", "&", "é", "日本", "😀", "\x7f", "\u0080", "\ufeff", "\uffff"}[m.IntN(12)]...)
		default:
			b = append(b, byte('a'+m.IntN(26)))
		}
	}
	return string(append(b, '"'))
}

// TestJSONText prints JSON texts on both sides.
func TestJSONText(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), cellDeadline)
	defer cancel()
	peer, seed := Start(t), rand.Uint64()
	m := jsonMaker{rand.New(rand.NewPCG(seed, 0))}
	documents := make([]string, 5000)
	for i := range documents {
		documents[i] = m.text(4)
	}
	var printed struct{ Documents []string }
	if err := peer.Command(ctx, "json.print", Args{"documents": documents}, &printed); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if len(printed.Documents) != len(documents) {
		t.Fatalf("%d texts", len(printed.Documents))
	}
	for i, d := range documents {
		if got, err := bee.AppendJSON(nil, json.RawMessage(d)); err != nil || string(got) != printed.Documents[i] {
			t.Errorf("seed %d: %s is printed as %s here (%v), as %s there", seed, d, got, err, printed.Documents[i])
		}
	}
}
