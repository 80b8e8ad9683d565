package replicate

import "github.com/hypernode/hypernode/core/keys"

// Options are the settings of a [Set]. The zero value serves every peer that knows a core's key. The functions must not
// block, and may be called from several goroutines.
type Options struct {
	// Upload tells whether a peer, named by what it has proven to be, may have blocks of a core. A peer that may not is
	// told that nothing is uploaded, and what it asks for nevertheless is not available. It is asked again and again. The
	// default is that it may.
	Upload func(peer []byte, core keys.DiscoveryKey) bool

	// Seek tells whether a peer is to be asked for a core, which opens a channel; see [Set.Seek] for when the answer changes to
	// yes. wanted is false for a core that is written here while nothing of it is missing: only the peer may want something of
	// it. The default is to ask every peer for what is wanted, and for nothing else.
	Seek func(peer []byte, core keys.DiscoveryKey, wanted bool) bool

	// Shared is told of each core for which a peer has opened a channel here, and so has proven that it knows the key.
	Shared func(peer []byte, core keys.DiscoveryKey)

	// NoPush refuses blocks that were not asked for. Else up to 4 MiB of them are taken for each peer and core, beside as
	// many bytes as it was asked for; they are verified as all others.
	NoPush bool

	// UploadRate and DownloadRate hold back answers and requests, urgent ones a second later than others. The default is no
	// limit.
	UploadRate, DownloadRate Limiter
}

const (
	// maxAsks is the most requests to one peer for one core that are not answered.
	maxAsks = 1024

	// maxStreamAsks is the same for all cores of one peer: if both sides let more pile up than maxRequests, neither would
	// read on.
	maxStreamAsks = 3072

	// maxRequests is how many requests of one peer wait for an answer; no more is read meanwhile.
	maxRequests = 4096

	// maxInbox is how many bytes of answers wait to be applied; no more is read meanwhile. maxGroup is how many bytes are
	// applied together, and hastyGroup the same in haste.
	maxInbox   = 8 << 20
	maxGroup   = 4 << 20
	hastyGroup = 1 << 20

	// unprovenFrame is the most bytes of one message of a stream on which no key has been proven yet: more than the openings
	// of as many channels as a stream may have.
	unprovenFrame = 1 << 20

	// maxNews is how many announcements wait for one peer before they are replaced by one of everything.
	maxNews = 256

	// maxExtensions is how many messages of extensions wait for one peer. More are dropped.
	maxExtensions = 64
)
