package replicate

import "github.com/hypernode/hypernode/core/keys"

// Options are the settings of a [Set]. The zero value serves every peer that knows a core's key.
type Options struct {
	// Upload tells whether a peer, named by what it has proven to be, may have blocks of a core. It is asked for each
	// request and must not block. The default is that it may.
	Upload func(peer []byte, core keys.DiscoveryKey) bool

	// AnnounceAll opens a channel to each peer for each core that is open here, also for those that are written here, of
	// which nothing is wanted.
	AnnounceAll bool
}

const (
	// maxAsks is the most requests to one peer for one core that are not answered.
	maxAsks = 1024

	// maxRequests is the most requests of one peer for one core that wait for an answer; no more is read meanwhile.
	maxRequests = 4096

	// maxInbox is how many bytes of answers wait to be applied; no more is read meanwhile. maxGroup is how many bytes are
	// applied together.
	maxInbox = 8 << 20
	maxGroup = 4 << 20

	// maxNews is how many announcements wait for one peer before they are replaced by one of everything.
	maxNews = 256

	// maxExtensions is how many messages of extensions wait for one peer. More are dropped.
	maxExtensions = 64
)
