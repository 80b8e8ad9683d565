package bee

import (
	"errors"

	"github.com/hypernode/hypernode/internal/compact"
)

// extensionName is the name of the hints among the extensions of a core.
const extensionName = "hyperbee"

var errMalformed = errors.New("bee: malformed hint")

// maxCheckpoint is how many numbers of a position are read: three for each level.
const maxCheckpoint = 3 * maxHeight

// maxHinted is how many blocks one hint may name.
const maxHinted = 4096

// message is one hint: one of its fields is set.
type message struct {
	cache    *cached
	get      *lookup
	iterator *iterator
}

// cached says which blocks a query needs, all within start and end.
type cached struct {
	start, end uint64
	blocks     []uint64
}

// lookup says which key a peer looks for.
type lookup struct {
	version uint64
	key     []byte
}

// iterator says which range a peer reads and how far it has come. Nil bounds are open, limit 0 is none. The checkpoint has
// three numbers for each node from the root on: block, offset, and the slot to look at next.
type iterator struct {
	version          uint64
	gte, gt, lte, lt []byte
	limit            uint64
	reverse          bool
	checkpoint       []uint64
}

func (m *message) encode() []byte {
	switch {
	case m.cache != nil:
		b := appendNumber(nil, 1, m.cache.start)
		b = appendNumber(b, 2, m.cache.end)
		return appendBytes(nil, 1, appendPacked(b, 3, m.cache.blocks))
	case m.get != nil:
		return appendBytes(nil, 2, appendBytes(appendNumber(nil, 1, m.get.version), 2, m.get.key))
	case m.iterator != nil:
		return appendBytes(nil, 3, m.iterator.encode())
	}
	return nil
}

// payload is the message as the extension carries it: behind its length.
func (m *message) payload() []byte { return compact.AppendBuffer(nil, m.encode()) }

// decodePayload reads what a peer sent through the extension. The result aliases b.
func decodePayload(b []byte) (*message, error) {
	d := compact.NewDecoder(b)
	m := d.Buffer()
	if d.Err() != nil {
		return nil, errMalformed
	}
	return decodeMessage(m)
}

func (m *iterator) encode() []byte {
	b := appendNumber(nil, 1, m.version)
	for i, bound := range [][]byte{m.gte, m.gt, m.lte, m.lt} {
		if bound != nil {
			b = appendBytes(b, uint64(i+2), bound)
		}
	}
	b = appendNumber(b, 6, m.limit)
	reverse := uint64(0)
	if m.reverse {
		reverse = 1
	}
	b = appendNumber(b, 7, reverse)
	return appendPacked(b, 8, m.checkpoint)
}

// decodeMessage reads a message. The result aliases b.
func decodeMessage(b []byte) (*message, error) {
	m := &message{}
	for len(b) > 0 {
		f, rest, err := nextField(b)
		if err != nil {
			return nil, errMalformed
		}
		switch b = rest; {
		case f.is(1, kindBytes):
			m.cache, err = decodeCached(f.data)
		case f.is(2, kindBytes):
			m.get, err = decodeLookup(f.data)
		case f.is(3, kindBytes):
			m.iterator, err = decodeIterator(f.data)
		}
		if err != nil {
			return nil, errMalformed
		}
	}
	return m, nil
}

func decodeCached(b []byte) (*cached, error) {
	m, fields := &cached{}, 0
	for len(b) > 0 {
		f, rest, err := nextField(b)
		if err != nil {
			return nil, err
		}
		switch b = rest; {
		case f.is(1, kindVarint):
			m.start, fields = f.value, fields|1
		case f.is(2, kindVarint):
			m.end, fields = f.value, fields|2
		case f.number == 3:
			if len(f.data) > 8*maxHinted {
				return nil, errMalformed
			}
			if m.blocks, err = f.numbers(m.blocks); err != nil || len(m.blocks) > maxHinted {
				return nil, errMalformed
			}
		}
	}
	if fields != 3 {
		return nil, errMalformed
	}
	return m, nil
}

func decodeLookup(b []byte) (*lookup, error) {
	m := &lookup{}
	for len(b) > 0 {
		f, rest, err := nextField(b)
		if err != nil {
			return nil, err
		}
		switch b = rest; {
		case f.is(1, kindVarint):
			m.version = f.value
		case f.is(2, kindBytes):
			m.key = f.data
		}
	}
	if m.version == 0 || m.key == nil {
		return nil, errMalformed
	}
	return m, nil
}

func decodeIterator(b []byte) (*iterator, error) {
	m := &iterator{}
	bounds := [...]*[]byte{2: &m.gte, 3: &m.gt, 4: &m.lte, 5: &m.lt}
	for len(b) > 0 {
		f, rest, err := nextField(b)
		if err != nil {
			return nil, err
		}
		switch b = rest; {
		case f.is(1, kindVarint):
			m.version = f.value
		case f.number >= 2 && f.number <= 5 && f.kind == kindBytes:
			*bounds[f.number] = f.data
		case f.is(6, kindVarint):
			m.limit = f.value
		case f.is(7, kindVarint):
			m.reverse = f.value != 0
		case f.number == 8:
			if len(f.data) > 8*maxCheckpoint {
				return nil, errMalformed
			}
			if m.checkpoint, err = f.numbers(m.checkpoint); err != nil || len(m.checkpoint) > maxCheckpoint {
				return nil, errMalformed
			}
		}
	}
	if m.version == 0 {
		return nil, errMalformed
	}
	return m, nil
}
