package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/badger"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/node/swarm"
	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/discovery"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// identitySecret is where the node's key lies among the store's secrets.
const identitySecret = "identity"

// Limits on streams, for each peer and in all.
const (
	maxStreams      = 4096
	maxTopicStreams = 64
)

// openStore opens the database, unless the caller has, and the cores in it.
func (n *Node) openStore(ctx context.Context, o Options) (err error) {
	n.db = o.DB
	if n.db == nil {
		if n.db, err = n.openDB(o); err != nil {
			return err
		}
		n.ownDB = true
	}
	ro := replicate.Options{Seek: n.mayAsk, Shared: n.shared}
	n.limit(&ro)
	if n.config.Replication.Upload == config.Off {
		ro.Upload = func([]byte, keys.DiscoveryKey) bool { return false }
	}
	n.set = replicate.New(ro)
	n.store, err = corestore.Open(ctx, n.db, corestore.Options{Source: source{n}, PrimaryKey: o.PrimaryKey})
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	return nil
}

// openDB opens the configured engine.
func (n *Node) openDB(o Options) (*datastore.DB, error) {
	do := datastore.Options{Logger: o.Logger.With("part", "store")}
	if n.config.Store.Durability == "process" {
		do.Durability = datastore.Process
	}
	dir := n.config.StorePath()
	switch {
	case dir == "" || n.config.Store.Engine == "memory":
		return datastore.NewMemory(do), nil
	case n.config.Store.Engine == "badger":
		return badger.Open(dir, badger.Options{Options: do})
	}
	return pebble.Open(dir, pebble.Options{Options: do})
}

// openHost builds the host, unless the program has one.
func (n *Node) openHost(ctx context.Context, o Options) (err error) {
	defer func() {
		if err == nil {
			close(n.hosted)
		}
	}()
	if o.Host != nil {
		n.host = o.Host
		return nil
	}
	key, err := n.identity()
	if err != nil {
		return err
	}
	n.host, err = swarm.New(ctx, swarm.Options{
		Config: n.config, Identity: key, Agent: o.Agent, Metrics: o.Metrics, Logger: o.Logger.With("part", "network"), Relays: n.relays,
		Services: []swarm.Service{{
			Name: protocols.ServiceName, Protocols: []protocol.ID{protocols.Replicate, protocols.SecretStream},
			PerPeer: protocols.MaxPeerStreams, Total: maxStreams, Memory: protocols.StreamMemory,
		}, {
			Name: protocols.TopicService, PerPeer: maxTopicStreams, Total: maxStreams, Memory: protocols.TopicMemory,
		}},
	})
	n.ownHost = err == nil
	return err
}

// identity returns the node's key, made at the first start. It is kept in a file of mode 0600 among the store's secrets.
func (n *Node) identity() (crypto.PrivKey, error) {
	secrets := n.db.Secrets()
	if secrets == nil {
		return newIdentity()
	}
	b, err := secrets.Load(identitySecret)
	if err == nil {
		key, err := crypto.UnmarshalPrivateKey(b)
		if err != nil {
			return nil, fmt.Errorf("reading the node's key: %w", err)
		}
		return key, nil
	}
	if !errors.Is(err, datastore.ErrNotFound) {
		return nil, fmt.Errorf("reading the node's key: %w", err)
	}
	key, err := newIdentity()
	if err != nil {
		return nil, err
	}
	if b, err = crypto.MarshalPrivateKey(key); err == nil {
		err = secrets.Store(identitySecret, b)
	}
	if err != nil {
		return nil, fmt.Errorf("keeping the node's key: %w", err)
	}
	return key, nil
}

func newIdentity() (crypto.PrivKey, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the node's key: %w", err)
	}
	return key, nil
}

// routers are the networks in which the profile looks.
func (n *Node) routers(o Options) (list []discovery.Router, err error) {
	if o.Routing != nil {
		list = append(list, discovery.FromRouting("attached", n.host.ID(), o.Routing))
	}
	if o.Host != nil {
		return list, nil
	}
	for _, d := range n.networks() {
		bootstrap, err := n.bootstrap(d)
		if err != nil {
			return nil, err
		}
		table, err := discovery.NewDHT(n.host, discovery.DHTOptions{Prefix: d, Bootstrap: bootstrap})
		if err != nil {
			return nil, err
		}
		n.tables = append(n.tables, table)
		if n.config.Discovery.Announce == config.Off {
			list = append(list, silent{table})
			continue
		}
		list = append(list, table)
	}
	return list, nil
}

// networks are the prefixes of the DHTs that the profile takes part in.
func (n *Node) networks() []protocol.ID {
	switch n.config.Discovery.Profile {
	case config.LAN:
		return []protocol.ID{discovery.LANPrefix}
	case config.Own:
		return []protocol.ID{discovery.LANPrefix, discovery.OwnPrefix}
	case config.Public:
		return []protocol.ID{discovery.LANPrefix, discovery.OwnPrefix, discovery.PublicPrefix}
	}
	return nil
}

// silent is a network in which is only looked.
type silent struct{ *discovery.DHT }

// Announce does nothing.
func (silent) Announce(context.Context, discovery.Topic) error { return nil }

// Withdraw does nothing.
func (silent) Withdraw(discovery.Topic) {}

// relays yields peers that might relay for this node: those that are connected.
func (n *Node) relays(ctx context.Context, num int) <-chan peer.AddrInfo {
	out := make(chan peer.AddrInfo, num)
	defer close(out)
	select {
	case <-n.hosted: // the host asks before it is handed over
	case <-ctx.Done():
		return out
	}
	for _, p := range n.host.Network().Peers() {
		if len(out) == num {
			break
		}
		out <- n.host.Peerstore().PeerInfo(p)
	}
	return out
}
