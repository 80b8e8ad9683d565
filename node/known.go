package node

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/hypernode/hypernode/datastore"
)

const (
	maxKnown  = 256
	knownFor  = 30 * 24 * time.Hour
	saveEvery = time.Minute
)

// acquaintance is a peer with whom something was exchanged, and where it was reached.
type acquaintance struct {
	Peer  string    `json:"peer"`
	Addrs []string  `json:"addrs"`
	Seen  time.Time `json:"seen"`
}

func knownKey() datastore.Key {
	return datastore.Group(groupNode).Kind(kindPeers).Item().Uint(0)
}

// known are the peers that were met before, also in earlier runs.
func (n *Node) known() (list []peer.AddrInfo) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	all, err := n.loadKnown(ctx)
	if err != nil {
		return nil
	}
	for _, a := range all {
		id, err := peer.Decode(a.Peer)
		if err != nil {
			continue
		}
		info := peer.AddrInfo{ID: id}
		for _, text := range a.Addrs {
			if addr, err := ma.NewMultiaddr(text); err == nil {
				info.Addrs = append(info.Addrs, addr)
			}
		}
		list = append(list, info)
	}
	return list
}

func (n *Node) loadKnown(ctx context.Context) (all []acquaintance, err error) {
	err = n.db.View(ctx, func(tx *datastore.Tx) error {
		b, err := tx.Get(knownKey())
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &all)
	})
	return all, err
}

// keepKnown writes down now and then who was met, and in the end, when ctx ends. Nothing is lost when that fails.
func (n *Node) keepKnown(ctx context.Context) error {
	for ctx.Err() == nil {
		sleep(ctx, saveEvery)
		if err := n.saveKnown(context.WithoutCancel(ctx)); err != nil {
			n.log.Debug("the peers that were met are not kept", "reason", err)
		}
	}
	return nil
}

// meets notes a peer with whom a stream stands, if it was dialled: where it can be reached is known from that.
func (n *Node) meets(p peer.ID) {
	a := acquaintance{Peer: p.String(), Seen: time.Now().UTC()}
	for _, c := range n.host.Network().ConnsToPeer(p) {
		if c.Stat().Direction == network.DirOutbound && !c.Stat().Limited {
			a.Addrs = append(a.Addrs, c.RemoteMultiaddr().String())
		}
	}
	if len(a.Addrs) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.met) < maxKnown || n.met[a.Peer].Peer != "" {
		n.met[a.Peer] = a
	}
}

// saveKnown writes down who was met since the last time, and those that were before, the latest first.
func (n *Node) saveKnown(ctx context.Context) error {
	for _, p := range n.service.Peers() {
		n.meets(p)
	}
	n.mu.Lock()
	met := n.met
	n.met = map[string]acquaintance{}
	n.mu.Unlock()
	if len(met) == 0 {
		return nil
	}
	old, err := n.loadKnown(ctx)
	if err != nil {
		old = nil // none yet, or they cannot be read
	}
	list := slices.Collect(maps.Values(met))
	for _, a := range old {
		if _, again := met[a.Peer]; !again && time.Since(a.Seen) < knownFor {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b acquaintance) int { return b.Seen.Compare(a.Seen) })
	b, err := json.Marshal(list[:min(len(list), maxKnown)])
	if err != nil {
		return fmt.Errorf("writing known peers: %w", err)
	}
	return n.db.Update(ctx, func(tx *datastore.Tx) error {
		tx.Lazy()
		tx.Set(knownKey(), b)
		return nil
	})
}
