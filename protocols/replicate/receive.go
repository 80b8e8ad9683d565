package replicate

import (
	"bytes"
	"time"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// Message implements [mux.Handler].
func (l *link) Message(_ *mux.Channel, typ uint64, b []byte) error {
	switch wire.Type(typ) {
	case wire.TypeSync:
		return receive(l, b, wire.DecodeSync, true, (*scheduler).sync)
	case wire.TypeRange:
		return receive(l, b, wire.DecodeRange, false, func(_ *scheduler, p *peer, m wire.Range) { p.have.Range(m) })
	case wire.TypeBitfield:
		return receive(l, b, wire.DecodeBitfield, false, func(_ *scheduler, p *peer, m wire.Bitfield) { p.have.Bitfield(m) })
	case wire.TypeWant:
		return receive(l, b, wire.DecodeWant, false, (*scheduler).want)
	case wire.TypeUnwant:
		return receive(l, b, wire.DecodeWant, false, (*scheduler).unwant)
	case wire.TypeNoData:
		return l.noData(b)
	case wire.TypeRequest:
		return l.request(b)
	case wire.TypeCancel:
		m, err := wire.DecodeCancel(b)
		l.requests.cancel(m.Request)
		return err
	case wire.TypeData:
		return l.data(b)
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
	l.replicator.mu.Lock()
	l.replicator.stats.Unavailable++
	l.replicator.mu.Unlock()
	return receive(l, b, wire.DecodeNoData, true, (*scheduler).noData)
}

// data takes an answer in, to be applied.
func (l *link) data(b []byte) error {
	proof, err := merkle.DecodeProof(bytes.Clone(b))
	if err != nil {
		return err
	}
	var a *ask
	var ok bool
	r := l.replicator
	r.mu.Lock()
	a, ok = r.sched.data(l.peer, proof, len(b), time.Now())
	if a == nil {
		r.stats.Unasked++
	}
	fault := l.peer.fault
	r.mu.Unlock()
	if fault != nil {
		return fault
	}
	if ok {
		l.stream.inbox.put(arrival{link: l, ask: a, proof: proof, size: len(b)})
	}
	return nil
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

func (l *link) nextExtension(c *mux.Channel) func() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.extensions) == 0 {
		return nil
	}
	m := l.extensions[0]
	l.extensions = l.extensions[1:]
	return func() error {
		return c.Append(uint64(wire.TypeExtension), len(m.Payload)+len(m.Name)+8, m.Append)
	}
}
