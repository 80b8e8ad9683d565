package sim

import (
	"crypto/sha256"
	"sync"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// meter counts the blocks that come to a node. No two blocks of a world are alike.
type meter struct {
	mu    sync.Mutex // guards what follows
	seen  map[[32]byte]bool
	total int
	twice int
}

// metered is a stream whose incoming blocks are counted.
type metered struct {
	mux.Conn
	meter *meter
}

// ReadMessage implements [mux.Conn].
func (c *metered) ReadMessage() ([]byte, error) {
	b, err := c.Conn.ReadMessage()
	if err == nil {
		c.meter.frame(b)
	}
	return b, err
}

func (m *meter) frame(b []byte) {
	for msg, err := range mux.Messages(b) {
		if err != nil {
			return
		}
		if msg.Channel == 0 || wire.Type(msg.Type) != wire.TypeData {
			continue
		}
		if p, err := merkle.DecodeProof(msg.Payload); err == nil && p.Block != nil {
			m.block(p.Block.Value)
		}
	}
}

func (m *meter) block(b []byte) {
	name := sha256.Sum256(b)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total++
	if m.seen[name] {
		m.twice++
	}
	m.seen[name] = true
}

// forget lets blocks that are cleared come again.
func (m *meter) forget(l *log, start, end uint64) {
	blocks, _ := l.state()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := start; i < min(end, uint64(len(blocks))); i++ {
		delete(m.seen, sha256.Sum256(blocks[i]))
	}
}
