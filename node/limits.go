package node

import (
	"time"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// maxBurst is the most bytes that go beyond a rate after a pause.
const maxBurst = 1 << 20

// limit sets the rates of the configuration.
func (n *Node) limit(o *replicate.Options) {
	l := n.config.Limits
	if l.UploadRate > 0 {
		o.UploadRate = rate(l.UploadRate)
	}
	if l.DownloadRate > 0 {
		o.DownloadRate = rate(l.DownloadRate)
	}
}

func rate(perSecond config.Bytes) *replicate.Rate {
	return replicate.NewRate(int(perSecond), int(min(perSecond/4, maxBurst)))
}

// Full tells whether the store uses all of the disk that it may, by config.Limits. Seeds are not fetched then.
func (n *Node) Full() bool {
	most := n.config.Limits.Store
	if most == 0 {
		return false
	}
	used, err := n.db.Used()
	return err == nil && used >= uint64(most)
}

// full is Full, as it was a moment ago: many seeds may ask.
func (n *Node) full() bool {
	n.mu.Lock()
	looked, was := n.looked, n.wasFull
	n.mu.Unlock()
	if time.Since(looked) < storeEvery/2 {
		return was
	}
	now := n.Full()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.looked, n.wasFull = time.Now(), now
	return now
}
