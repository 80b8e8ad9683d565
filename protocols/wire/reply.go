package wire

import "github.com/hypernode/hypernode/internal/compact"

// Cancel takes a request back that may not be answered yet. It has no answer of its own.
type Cancel struct {
	Request uint64 // the request's ID
}

// Append appends the wire form of m: request.
func (m Cancel) Append(b []byte) []byte { return compact.AppendUint(b, m.Request) }

// DecodeCancel reads what [Cancel.Append] writes.
func DecodeCancel(b []byte) (Cancel, error) {
	d := compact.NewDecoder(b)
	m := Cancel{Request: d.Uint()}
	return m, finish(TypeCancel, d)
}

// Reason is why a request gets no data. Unknown ones may come.
type Reason uint64

// The reasons.
const (
	ReasonNone         Reason = iota // not told
	ReasonNotAvailable               // the sender does not have what was asked for, or not of that fork
	ReasonInvalid                    // the request cannot be proven: it makes no sense
)

// NoData is the answer to a request that gets no data.
type NoData struct {
	Request uint64 // the request's ID
	Reason  Reason
}

const noDataReason = 1

// Append appends the wire form of m: request | flags | [reason].
func (m NoData) Append(b []byte) []byte {
	b = compact.AppendUint(b, m.Request)
	b = compact.AppendUint(b, flag(m.Reason != ReasonNone, noDataReason))
	if m.Reason != ReasonNone {
		b = compact.AppendUint(b, uint64(m.Reason))
	}
	return b
}

// DecodeNoData reads what [NoData.Append] writes, and the older form without flags.
func DecodeNoData(b []byte) (NoData, error) {
	d := compact.NewDecoder(b)
	m := NoData{Request: d.Uint()}
	if d.Len() > 0 && d.Uint()&noDataReason != 0 {
		m.Reason = Reason(d.Uint())
	}
	return m, finish(TypeNoData, d)
}
