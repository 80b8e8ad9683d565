package discovery

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p-kad-dht/provider"
	"github.com/libp2p/go-libp2p-kad-dht/provider/keystore"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"
)

// The prefixes of the networks.
const (
	OwnPrefix    protocol.ID = "/hypernode"     // ours, between public addresses
	LANPrefix    protocol.ID = "/hypernode/lan" // ours, between private addresses
	PublicPrefix protocol.ID = "/ipfs"          // the public IPFS network
)

// DHTOptions are the settings of a DHT.
type DHTOptions struct {
	// Prefix names the network. With OwnPrefix and PublicPrefix only public addresses take part, else only private ones and
	// those of this machine.
	Prefix protocol.ID
	// Client only asks. Without it a node on private addresses serves others, and one on public addresses does once others
	// can reach it; but in the public network it is always a client.
	Client bool
	// Bootstrap returns the peers through which the network is entered.
	Bootstrap func() []peer.AddrInfo
	// Timeout is how long one peer may take to be reached, and then for one answer; the default is 5 s.
	Timeout time.Duration
}

// DHT is a Kademlia network as a Router. A topic is announced at once, when there are few, and from then on with all others in
// sweeps over the key space.
type DHT struct {
	name   string
	table  *dht.IpfsDHT
	prompt *rate.Limiter // announcements that are made at once

	records ds.Batching
	keys    keystore.Keystore // what is announced

	began time.Time
	entry func() bool // there are peers to enter by

	gather chan struct{} // holds a token when topics wait for a sweep

	mu      sync.Mutex // guards what follows
	sweep   *provider.SweepingProvider
	waiting map[Topic]struct{} // for a sweep
	told    []ma.Multiaddr     // that others were told when something was announced last
}

// entrance is for how long after the start somebody to ask is expected, when there are peers to enter the network by.
const entrance = 3 * time.Second

// NewDHT makes h take part in a network, which it enters with Run. Close it before the host.
func NewDHT(h host.Host, o DHTOptions) (*DHT, error) {
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	table, err := dht.New(&hasty{h, o.Timeout}, append(o.options(), dht.ProviderDatastore(newRecordStore(h.ID())))...)
	if err != nil {
		return nil, fmt.Errorf("joining the network %s: %w", o.Prefix, err)
	}
	d := &DHT{
		name: string(o.Prefix), table: table, prompt: rate.NewLimiter(promptRate, promptBurst),
		gather: make(chan struct{}, 1), waiting: map[Topic]struct{}{},
		began: time.Now(), entry: sync.OnceValue(func() bool { return o.Bootstrap != nil && len(o.Bootstrap()) > 0 }),
	}
	d.records = dssync.MutexWrap(ds.NewMapDatastore())
	if d.keys, err = keystore.NewKeystore(d.records); err != nil {
		return nil, errors.Join(fmt.Errorf("announcing in the network %s: %w", o.Prefix, err), table.Close())
	}
	return d, nil
}

func (o DHTOptions) options() []dht.Option {
	list := []dht.Option{dht.ProtocolPrefix(o.Prefix), dht.WithCustomMessageSender(senders(o.Timeout))}
	if o.Bootstrap != nil {
		list = append(list, dht.BootstrapPeersFunc(o.Bootstrap))
	}
	switch o.Prefix {
	case OwnPrefix, PublicPrefix:
		list = append(list, dht.QueryFilter(dht.PublicQueryFilter), dht.RoutingTableFilter(dht.PublicRoutingTableFilter),
			dht.AddressFilter(publicAddrs))
	default:
		list = append(list, dht.RoutingTableFilter(nearby), dht.AddressFilter(nearAddrs))
	}
	if o.Prefix != PublicPrefix {
		list = append(list, dht.DisableValues())
	}
	return append(list, dht.Mode(o.mode()))
}

func (o DHTOptions) mode() dht.ModeOpt {
	switch {
	case o.Client || o.Prefix == PublicPrefix:
		return dht.ModeClient
	case o.Prefix == OwnPrefix:
		return dht.ModeAuto
	}
	return dht.ModeServer
}

// Name implements Router: it is the prefix.
func (d *DHT) Name() string { return d.name }

// Ready implements Router.
func (d *DHT) Ready() bool { return d.table.RoutingTable().Size() > 0 }

// Entering tells whether the network is being entered, so that there may soon be somebody to ask.
func (d *DHT) Entering() bool {
	return time.Since(d.began) < entrance && !d.Ready() && d.entry()
}

// Addressed tells whether this node has an address that belongs into this network: a public one, or of a relay, or a private one.
func (d *DHT) Addressed() bool { return len(d.table.FilteredAddrs()) > 0 }

// Size returns how many nodes of the network are known.
func (d *DHT) Size() int { return d.table.RoutingTable().Size() }

// Serves tells whether this node answers others now.
func (d *DHT) Serves() bool {
	return slices.Contains(d.table.Host().Mux().Protocols(), protocol.ID(d.name+"/kad/1.0.0"))
}

// Refresh looks for nodes near this one, and returns when that is done.
func (d *DHT) Refresh(ctx context.Context) error {
	select {
	case err := <-d.table.ForceRefresh():
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Find implements Router. This peer itself is left out.
func (d *DHT) Find(ctx context.Context, t Topic) iter.Seq[peer.AddrInfo] {
	return func(yield func(peer.AddrInfo) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for p := range d.table.FindProvidersAsync(ctx, t.CID(), 0) {
			if p.ID != d.table.PeerID() && !yield(p) {
				return
			}
		}
	}
}

// Close leaves the network.
func (d *DHT) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var err error
	if d.sweep != nil {
		err = d.sweep.Close()
	}
	return errors.Join(err, d.keys.Close(), d.table.Close())
}
