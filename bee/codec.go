package bee

import (
	"encoding/json"
	"fmt"
)

// Codec turns keys or values of a type into bytes and back. Bytes that are nil are a value that is not there. Make one of the
// caller's own by setting both functions.
type Codec[T any] struct {
	Encode func(v T) ([]byte, error)
	Decode func(b []byte) (T, error)
}

// Binary is the codec of bytes as they are.
func Binary() Codec[[]byte] {
	same := func(b []byte) ([]byte, error) { return b, nil }
	return Codec[[]byte]{Encode: same, Decode: same}
}

// Text is the codec of text in UTF-8. A value that is not there reads as "".
func Text() Codec[string] {
	return Codec[string]{
		Encode: func(s string) ([]byte, error) { return append(make([]byte, 0, len(s)), s...), nil },
		Decode: func(b []byte) (string, error) { return string(b), nil },
	}
}

// JSON is the codec of values as JSON, printed as [AppendJSON] does. What would be the document null is a value that is not
// there, as in JavaScript, and one that is not there reads as null does.
func JSON[T any]() Codec[T] {
	return Codec[T]{Encode: encodeJSON[T], Decode: decodeJSON[T]}
}

func encodeJSON[T any](v T) ([]byte, error) {
	b, err := AppendJSON(nil, v)
	if err != nil || string(b) == "null" {
		return nil, err
	}
	return b, nil
}

func decodeJSON[T any](b []byte) (v T, err error) {
	if b == nil {
		b = []byte("null")
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("bee: decoding JSON: %w", err)
	}
	return v, nil
}
