package mux

import "github.com/hypernode/hypernode/protocols/secretstream"

const (
	// MaxMessage is the most bytes of a message's payload.
	MaxMessage = secretstream.MaxMessage - 2*maxUint

	// MaxName is the most bytes of a protocol's name and of a channel's id.
	MaxName = 256

	// MaxHandshake is the most bytes of the payload that opens a channel.
	MaxHandshake = 4 << 10

	// maxUint is the most bytes of a number.
	maxUint = 9

	// batchedMessage is up to how many bytes a message goes into a batch, batchBytes about how many a batch has.
	batchedMessage = 8 << 10
	batchBytes     = 64 << 10

	// maxControl is how many bytes of control messages may wait until no more is read from the peer.
	maxControl = 64 << 10

	// messageCost is what a buffered message costs beside its bytes.
	messageCost = 64
)

// The defaults of Options.
const (
	defaultChannels = 4096
	defaultOffers   = 128
	defaultUnsent   = 192 << 10
	defaultBacklog  = 64 << 10
)

// Options are the settings of a [Mux]. The zero value opens channels and accepts none.
type Options struct {
	// Offered is given each channel that only the peer has opened. It is called by the goroutine that reads, and may
	// answer at once or later. The default is to reject all.
	Offered func(*Offer)

	// Fill is called by the goroutine that writes, whenever it can write, to send what it likes until ErrFull.
	Fill func()

	// Frame is called by the goroutine that reads after the messages of each frame, for handlers that work in groups. An
	// error ends the stream.
	Frame func() error

	// MaxChannels is the most channels that are open or offered at a time; more that the peer opens are rejected. The
	// default is 4096.
	MaxChannels int

	// MaxOffers is how many offers may be unanswered; more are rejected. The default is 128.
	MaxOffers int

	// MaxUnsent is the most bytes of messages that wait to be sent, or one message. What waits cannot be overtaken, so
	// it is to be little, and little more than what one write takes. The default is 192 KiB.
	MaxUnsent int

	// MaxBacklog is how many bytes of messages are kept for channels that are not accepted yet, or one message. Reading
	// stops when there are more. The default is 64 KiB.
	MaxBacklog int
}

func (o Options) withDefaults() Options {
	for _, v := range []struct {
		field *int
		def   int
	}{{&o.MaxChannels, defaultChannels}, {&o.MaxOffers, defaultOffers}, {&o.MaxUnsent, defaultUnsent}, {&o.MaxBacklog, defaultBacklog}} {
		if *v.field <= 0 {
			*v.field = v.def
		}
	}
	return o
}
