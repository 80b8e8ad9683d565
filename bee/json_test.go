package bee

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"testing"
)

func TestAppendJSON(t *testing.T) {
	type pair struct {
		B string `json:"b"`
		A int    `json:"7"`
	}
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for _, x := range []struct {
		v    any
		want string
	}{
		{nil, `null`},
		{math.Copysign(0, -1), `0`},
		{1e21, `1e+21`},
		{123456789012345680000.0, `123456789012345680000`},
		{1e-6, `0.000001`},
		{1.5e-7, `1.5e-7`},
		{-1.25e300, `-1.25e+300`},
		{5e-324, `5e-324`},
		{uint64(1<<53 + 1), `9007199254740992`},
		{"<&>\u2028\u2029\x07\x7f\"\\/\b\f\n\r\t", "\"<&>\u2028\u2029\\u0007\x7f\\\"\\\\/\\b\\f\\n\\r\\t\""},
		{"a\xffb", "\"a\ufffdb\""},
		{pair{"x", 1}, `{"7":1,"b":"x"}`},
		{raw(` { "b" : 1 , "10":2, "a":[ ], "9":{}, "b" : 3, "01":4, "4294967295":5, "4294967294":6 } `),
			`{"9":{},"10":2,"4294967294":6,"b":3,"a":[],"01":4,"4294967295":5}`},
		{raw(`"\ud83d\ude00 \ud800 \udc00\u0041 \u001F"`), "\"\U0001f600 \\ud800 \\udc00A \\u001f\""},
		{raw(`[1e999,-1e999,1e-999,0.10,100]`), `[null,null,0,0.1,100]`},
		{raw(`{"a":1,"\u0061":2}`), `{"a":2}`},
	} {
		if b, err := AppendJSON([]byte("!"), x.v); err != nil || string(b) != "!"+x.want {
			t.Errorf("%v is printed as %q (%v), want %q", x.v, b, err, x.want)
		}
	}
	if _, err := AppendJSON(nil, raw(`{"a":}`)); err == nil {
		t.Error("what is no JSON was printed")
	}
	if _, err := AppendJSON(nil, math.NaN()); err == nil {
		t.Error("a number that is none was printed")
	}
}

func TestTyped(t *testing.T) {
	type point struct{ X, Y int }
	b := memoryBee(t, Options{})
	p := NewTyped(b, Text(), JSON[*point]())
	if err := p.Put(t.Context(), "a", &point{1, 2}); err != nil {
		t.Fatal(err)
	}
	err := p.Update(t.Context(), func(tx *TypedBatch[string, *point]) error {
		x, err := tx.Get("a")
		if err != nil {
			return err
		}
		x.Value.X++
		for _, key := range []string{"b", "c", "d"} {
			if err := tx.Put(key, x.Value); err != nil {
				return err
			}
		}
		return tx.Put("c", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Delete(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	got := ""
	for x, err := range p.Range(t.Context(), Range{GT: []byte("a")}) {
		if err != nil {
			t.Fatal(err)
		}
		got += x.Key
		if x.Value != nil {
			got += string(mustJSON(t, x.Value))
		}
	}
	if want := `b{"X":2,"Y":2}c`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	mustPut(t, b, "e", "{")
	if _, err := p.Get(t.Context(), "e"); err == nil {
		t.Error("a value that is no JSON was read")
	}
	if _, err := NewTyped(b, Binary(), Binary()).Get(t.Context(), []byte("e")); err != nil {
		t.Error(err)
	}
	_, err = p.Get(t.Context(), "d")
	wantErr(t, "get of a key that was deleted", err, ErrNotFound)
}

// TestOwnCodecs has keys and values in encodings of the caller's own, which have errors of their own.
func TestOwnCodecs(t *testing.T) {
	odd := errors.New("odd")
	number := Codec[uint16]{
		Encode: func(n uint16) ([]byte, error) { return binary.BigEndian.AppendUint16(nil, n), nil },
		Decode: func(b []byte) (uint16, error) {
			if len(b) != 2 {
				return 0, odd
			}
			return binary.BigEndian.Uint16(b), nil
		},
	}
	even := Codec[uint16]{
		Encode: func(n uint16) ([]byte, error) {
			if n%2 == 1 {
				return nil, odd
			}
			return number.Encode(n)
		},
		Decode: number.Decode,
	}
	b := memoryBee(t, Options{})
	p := NewTyped(b, number, even)
	for _, n := range []uint16{1000, 2, 257} {
		if err := p.Put(t.Context(), n, 2*n); err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, "a value that cannot be encoded", p.Put(t.Context(), 4, 5), odd)
	_, err := NewTyped(b, even, even).Get(t.Context(), 257)
	wantErr(t, "a key that cannot be encoded", err, odd)
	if v := b.Version(); v != 4 {
		t.Errorf("what cannot be encoded was written: version %d", v)
	}
	wantGet(t, b, "\x01\x01", []byte{2, 2})
	want := []uint16{2, 257, 1000}
	for x, err := range p.Range(t.Context(), Range{}) {
		if err != nil || len(want) == 0 || x.Key != want[0] || x.Value != 2*x.Key {
			t.Fatalf("%+v (%v), and %v to come", x, err, want)
		}
		want = want[1:]
	}
	if len(want) > 0 {
		t.Errorf("%v are missing", want)
	}
	mustPut(t, b, "\x00\x07", "odd")
	_, err = p.Get(t.Context(), 7)
	wantErr(t, "a value that cannot be decoded", err, odd)
}
