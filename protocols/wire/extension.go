package wire

import (
	"fmt"

	"github.com/hypernode/hypernode/internal/compact"
)

// Extension is a message of an application beside the protocol.
type Extension struct {
	Name    string // "" is the name of the extension message before it on the channel
	Payload []byte
}

// Append appends the wire form of m: string name | payload.
func (m Extension) Append(b []byte) []byte {
	return append(compact.AppendString(b, m.Name), m.Payload...)
}

// DecodeExtension reads what [Extension.Append] writes; Payload aliases b. A name of more than [MaxExtensionName] bytes
// gives [ErrLimit].
func DecodeExtension(b []byte) (Extension, error) {
	d := compact.NewDecoder(b)
	name := d.Buffer()
	if len(name) > MaxExtensionName {
		d.Fail(fmt.Errorf("%w: name of %d bytes", ErrLimit, len(name)))
	}
	m := Extension{Name: string(name[:min(len(name), MaxExtensionName)]), Payload: d.Rest()}
	return m, finish(TypeExtension, d)
}
