package replicate

import (
	"bytes"

	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// Message implements [mux.Handler].
func (l *link) Message(_ *mux.Channel, typ uint64, b []byte) error {
	switch wire.Type(typ) {
	case wire.TypeRequest:
		return l.request(b)
	case wire.TypeData:
		return l.data(b)
	}
	if err := l.settle(); err != nil {
		return err
	}
	switch wire.Type(typ) {
	case wire.TypeSync:
		return receive(l, b, wire.DecodeSync, true, (*scheduler).sync)
	case wire.TypeRange:
		return receive(l, b, wire.DecodeRange, false, (*scheduler).ranged)
	case wire.TypeBitfield:
		return receive(l, b, wire.DecodeBitfield, false, (*scheduler).mapped)
	case wire.TypeWant:
		return receive(l, b, wire.DecodeWant, false, (*scheduler).want)
	case wire.TypeUnwant:
		return receive(l, b, wire.DecodeWant, false, (*scheduler).unwant)
	case wire.TypeNoData:
		return l.noData(b)
	case wire.TypeCancel:
		m, err := wire.DecodeCancel(b)
		l.requests.cancel(m.Request)
		return err
	case wire.TypeExtension:
		return l.extended(b)
	}
	return nil
}

// receive decodes a message and gives it to the scheduler; all says that other peers may be concerned.
func receive[M any](l *link, b []byte, decode func([]byte) (M, error), all bool, take func(*scheduler, *peer, M)) error {
	m, err := decode(b)
	if err != nil {
		return err
	}
	l.replicator.step(l, all, func(s *scheduler) { take(s, l.peer, m) })
	return nil
}

// noData takes in that there is no answer.
func (l *link) noData(b []byte) error {
	l.count(func(s *Counters) { s.Unavailable++ })
	var stuck uint64
	err := receive(l, b, wire.DecodeNoData, true, func(s *scheduler, p *peer, m wire.NoData) { stuck = s.noData(p, m) })
	if err != nil || stuck == 0 {
		return err
	}
	return l.unstick(stuck)
}

// extended gives a message of an extension to who handles it.
func (l *link) extended(b []byte) error {
	m, err := wire.DecodeExtension(b)
	if err != nil {
		return err
	}
	if m.Name == "" {
		m.Name = l.extension
	}
	l.extension = m.Name
	r := l.replicator
	if m.Name == tailName {
		if len(m.Payload) == 1 {
			r.step(l, false, func(s *scheduler) { s.tailWanted(l.peer, m.Payload[0] == 1) })
		}
		return nil
	}
	r.mu.Lock()
	handle := r.handlers[m.Name]
	r.mu.Unlock()
	if handle != nil {
		handle(string(l.stream.remote), bytes.Clone(m.Payload))
	}
	return nil
}

// extend queues a message of an extension.
func (l *link) extend(name string, data []byte) {
	l.mu.Lock()
	fits := len(l.extensions) < maxExtensions && name != "" && len(name) <= wire.MaxExtensionName
	if fits {
		l.extensions = append(l.extensions, wire.Extension{Name: name, Payload: data})
	}
	l.mu.Unlock()
	if fits {
		l.wake()
	}
}

// takeExtensions adds what was queued to what is sent first.
func (l *link) takeExtensions() {
	l.mu.Lock()
	list := l.extensions
	l.extensions = nil
	l.mu.Unlock()
	for _, m := range list {
		l.first = append(l.first, outgoing{typ: wire.TypeExtension, size: len(m.Payload) + len(m.Name) + small, encode: m.Append})
	}
}
