package wire_test

import (
	"fmt"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/wire"
)

func ExampleHave() {
	var h wire.Have
	h.Range(wire.Range{Start: 0, Length: 1_000_000_000})
	h.Range(wire.Range{Drop: true, Start: 40, Length: 2})
	fmt.Println(h.Contiguous(), h.Has(41), h.Has(42))
	// Output: 40 false true
}

func ExampleHandshake_Proves() {
	var hash [64]byte // of the stream
	key := keys.Key{1}
	mine := wire.Handshake{Seeks: true, Capability: wire.Capability(&hash, true, key)}

	theirs, err := wire.DecodeHandshake(mine.Append(nil))
	fmt.Println(err, theirs.Proves(&hash, true, key), theirs.Proves(&hash, false, key))
	// Output: <nil> true false
}
