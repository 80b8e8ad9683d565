package wire

import "fmt"

// Protocol is the name of the channels, whose id is the core's discovery key. Alias is an older name for the same.
const (
	Protocol = "hypercore/alpha"
	Alias    = "hypercore"
)

// Type tells the messages of a channel apart. Messages of unknown types are ignored.
type Type uint64

// The types, with the struct that each is.
const (
	TypeSync      Type = iota // Sync
	TypeRequest               // merkle.Request
	TypeCancel                // Cancel
	TypeData                  // merkle.Proof
	TypeNoData                // NoData
	TypeWant                  // Want
	TypeUnwant                // Want
	TypeBitfield              // Bitfield
	TypeRange                 // Range
	TypeExtension             // Extension
)

// typeHandshake stands in errors for the payload that opens a channel, which has no type.
const typeHandshake Type = 1 << 62

// String returns the name of t.
func (t Type) String() string {
	switch t {
	case TypeSync:
		return "sync"
	case TypeRequest:
		return "request"
	case TypeCancel:
		return "cancel"
	case TypeData:
		return "data"
	case TypeNoData:
		return "noData"
	case TypeWant:
		return "want"
	case TypeUnwant:
		return "unwant"
	case TypeBitfield:
		return "bitfield"
	case TypeRange:
		return "range"
	case TypeExtension:
		return "extension"
	case typeHandshake:
		return "handshake"
	}
	return fmt.Sprintf("type %d", uint64(t))
}
