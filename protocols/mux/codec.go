package mux

import (
	"errors"
	"fmt"
	"iter"

	"github.com/hypernode/hypernode/internal/compact"
)

// Message is a message as it is on the wire. Channel 0 has the control messages.
type Message struct {
	Channel uint64 // the sender's number
	Type    uint64
	Payload []byte
}

// Types of control messages.
const (
	controlBatch  = 0
	controlOpen   = 1
	controlReject = 2
	controlClose  = 3
)

// AppendMessage appends a frame with one message.
func AppendMessage(b []byte, m Message) []byte {
	b = compact.AppendUint(b, m.Channel)
	b = compact.AppendUint(b, m.Type)
	return append(b, m.Payload...)
}

// AppendBatch appends a frame with a batch of messages, at least one. It must stay below the size of a frame.
func AppendBatch(b []byte, messages []Message) []byte {
	var channel uint64
	for i, m := range messages {
		b = appendItemHead(b, i == 0, channel, m.Channel, compact.SizeUint(m.Type)+len(m.Payload))
		b = compact.AppendUint(b, m.Type)
		b = append(b, m.Payload...)
		channel = m.Channel
	}
	return b
}

// appendItemHead appends what precedes an item of a batch: at first the head of the batch, where the channel is another
// than before the switch to it, and the item's length.
func appendItemHead(b []byte, first bool, before, channel uint64, length int) []byte {
	switch {
	case first:
		b = append(b, 0, controlBatch)
		b = compact.AppendUint(b, channel)
	case channel != before:
		b = append(b, 0)
		b = compact.AppendUint(b, channel)
	}
	return compact.AppendUint(b, uint64(length))
}

// IsBatch tells whether a frame is a batch.
func IsBatch(frame []byte) bool {
	d := compact.NewDecoder(frame)
	return d.Uint() == 0 && d.Uint() == controlBatch && d.Err() == nil
}

// Messages yields the messages of a frame, the single one or those of a batch; their payloads alias it. A frame that cannot
// be decoded ends with an error that wraps ErrProtocol. So does a batch within a batch.
func Messages(frame []byte) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		d := compact.NewDecoder(frame)
		m := Message{Channel: d.Uint(), Type: d.Uint()}
		switch {
		case d.Err() != nil:
			yield(Message{}, broken(d))
		case m.Channel == 0 && m.Type == controlBatch:
			batch(d, yield)
		default:
			m.Payload = d.Rest()
			yield(m, nil)
		}
	}
}

var errNested = errors.New("batch within a batch")

func batch(d *compact.Decoder, yield func(Message, error) bool) {
	channel := d.Uint()
	for d.Len() > 0 {
		n := d.Uint()
		if n == 0 {
			channel = d.Uint()
			continue
		}
		m := Message{Channel: channel}
		item := compact.NewDecoder(d.Fixed(int(min(n, compact.MaxSafe))))
		m.Type, m.Payload = item.Uint(), item.Rest()
		d.Fail(item.Err())
		if m.Channel == 0 && m.Type == controlBatch {
			d.Fail(errNested)
		}
		if d.Err() != nil {
			break
		}
		if !yield(m, nil) {
			return
		}
	}
	if d.Err() != nil {
		yield(Message{}, broken(d))
	}
}

func broken(d *compact.Decoder) error {
	return fmt.Errorf("%w: decode frame: %w", ErrProtocol, d.Err())
}

// open is the control message that opens a channel.
type open struct {
	number    uint64
	protocol  string
	id        []byte
	handshake []byte
}

func (o *open) append(b []byte) []byte {
	b = compact.AppendUint(b, o.number)
	b = compact.AppendString(b, o.protocol)
	b = compact.AppendOptionalBuffer(b, o.id)
	return append(b, o.handshake...)
}

// decodeOpen reads what append writes. ok is false for what is too long to be wanted, of which only the number is kept.
func decodeOpen(b []byte) (o open, ok bool, err error) {
	d := compact.NewDecoder(b)
	o.number = d.Uint()
	protocol, id, handshake := d.Buffer(), d.OptionalBuffer(), d.Rest()
	if d.Err() != nil {
		return o, false, broken(d)
	}
	if len(protocol) > MaxName || len(id) > MaxName || len(handshake) > MaxHandshake {
		return o, false, nil
	}
	o.protocol, o.id, o.handshake = string(protocol), id, handshake
	return o, true, nil
}
