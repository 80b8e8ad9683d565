package mux

import "slices"

// name is what a channel is known by on both sides.
type name struct{ protocol, id string }

// pairing brings together what the two sides open under one name, or several that mean the same.
type pairing struct {
	names    []name
	open     *Channel // not closed by this side; nil when there is none
	waiting  []uint64 // own numbers whose open is unanswered, the oldest first; they may be closed meanwhile
	incoming *Offer   // unanswered; nil when there is none
}

// pairingLocked returns the pairing of any of the names, made if need be, and makes all of them mean it.
func (m *Mux) pairingLocked(id []byte, protocols ...string) *pairing {
	var p *pairing
	for _, protocol := range protocols {
		if p = m.pairings[name{protocol, string(id)}]; p != nil {
			break
		}
	}
	if p == nil {
		p = &pairing{}
	}
	for _, protocol := range protocols {
		n := name{protocol, string(id)}
		if m.pairings[n] == nil {
			m.pairings[n] = p
			p.names = append(p.names, n)
		}
	}
	return p
}

// dropLocked forgets p when it stands for nothing any more.
func (m *Mux) dropLocked(p *pairing) {
	if p.open != nil || p.incoming != nil || len(p.waiting) > 0 {
		return
	}
	for _, n := range p.names {
		delete(m.pairings, n)
	}
}

// answered takes a number off those that wait and tells whether it was among them.
func (p *pairing) answered(number uint64) bool {
	at := slices.Index(p.waiting, number)
	if at >= 0 {
		p.waiting = slices.Delete(p.waiting, at, at+1)
	}
	return at >= 0
}
