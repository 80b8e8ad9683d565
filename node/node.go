package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/discovery"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// Agent is what a node calls itself when Options do not say.
const Agent = "hypernode/dev"

// Options are what a configuration file cannot say. The zero value is usable.
type Options struct {
	// Agent is what the node calls itself, "hypernode/1.2".
	Agent string
	// Logger gets what happens in the background; nil means nobody does. It never gets a key or a secret. The attribute "part"
	// says of which part of the node a message is, one of config.LogParts.
	Logger *slog.Logger
	// Metrics gets the figures of the network; nil means none are kept.
	Metrics prometheus.Registerer

	// DB is a store that the caller opens and closes, in the place of the configured one.
	DB *datastore.DB
	// PrimaryKey is that of the store, see corestore.Options.
	PrimaryKey keys.PrimaryKey
	// Host and Routing are those of a program that has them already, see Attach.
	Host    host.Host
	Routing routing.ContentRouting
}

// Node is a running peer. Its methods may be called from several goroutines, before Run and while it runs.
type Node struct {
	config config.Config
	log    *slog.Logger
	began  time.Time

	db      *datastore.DB
	ownDB   bool
	store   *corestore.Store
	set     *replicate.Set
	host    host.Host
	hosted  chan struct{} // closed once there is the host
	ownHost bool
	service *protocols.Service
	finder  *discovery.Finder
	tables  []*discovery.DHT
	dialer  *dialer
	plain   *plain
	seeder  *seeder

	mu      sync.Mutex // guards what follows
	running bool
	closed  bool
	cancel  context.CancelFunc // ends Run
	topics  map[keys.DiscoveryKey]*topic
	loose   loose
	wants   map[keys.DiscoveryKey]*topic // those of which something is wanted
	trusted map[string]bool              // peers, by their bytes, that may be asked for what belongs to others' cores
	lan     map[string]bool              // peers on the LAN, or known by name
	named   map[string]bool              // those that are known by name
	around  map[keys.DiscoveryKey]bool   // cores for which the peers of the LAN are asked
	seeds   map[keys.Key]*seed
	looked  time.Time // whether the store is full, which it then was or not
	wasFull bool
	met     map[string]acquaintance // since they were written down last

	closing sync.Once
	ended   chan struct{} // closed when Run has ended
	fault   error         // what Close returns
}

// New opens the store and binds the addresses that c names. Nothing else happens before Run. Close it.
//
// It fails with an error of config for values that cannot be, datastore.ErrLocked when another process has the store open,
// swarm.ErrBusy when an address cannot be bound.
func New(ctx context.Context, c config.Config) (*Node, error) { return NewWith(ctx, c, Options{}) }

// Attach runs a node on a host and a routing that a program has already, of which it owns neither: transports, limits and
// connections are the program's affair. A nil routing means that peers are only found by mDNS, by name, or by their own
// doing. It is otherwise as NewWith.
func Attach(ctx context.Context, c config.Config, h host.Host, r routing.ContentRouting, o Options) (*Node, error) {
	o.Host, o.Routing = h, r
	return NewWith(ctx, c, o)
}

// NewWith is New with options.
func NewWith(ctx context.Context, c config.Config, o Options) (*Node, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Agent == "" {
		o.Agent = Agent
	}
	n := &Node{
		config: c.Filled(), log: o.Logger.With("part", "node"), began: time.Now(), hosted: make(chan struct{}), ended: make(chan struct{}),
		topics: map[keys.DiscoveryKey]*topic{}, loose: loose{}, wants: map[keys.DiscoveryKey]*topic{}, trusted: map[string]bool{}, lan: map[string]bool{}, named: map[string]bool{},
		around: map[keys.DiscoveryKey]bool{},
		seeds:  map[keys.Key]*seed{}, met: map[string]acquaintance{},
	}
	n.seeder = newSeeder(n.tend)
	for _, step := range []func(context.Context, Options) error{n.openStore, n.openNetwork, n.loadSeeds} {
		if err := step(ctx, o); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	return n, nil
}

// openNetwork builds everything between the host and the store.
func (n *Node) openNetwork(ctx context.Context, o Options) error {
	if err := n.openHost(ctx, o); err != nil {
		return err
	}
	routers, err := n.routers(o)
	if err != nil {
		return err
	}
	n.finder = discovery.New(discovery.Options{Routers: routers, Logger: o.Logger.With("part", "discovery")})
	n.dialer = newDialer(n)
	n.plain, err = newPlain(n)
	if err != nil {
		return err
	}
	n.service = protocols.New(n.host, n.set, protocols.Options{
		Find: n.store.Find, Static: n.store.Pair("hypernode/secretstream"), Logger: o.Logger.With("part", "replication"),
		Up: n.dialer.up, Down: n.dialer.down,
	})
	return nil
}

// Run does all that goes on in the background, until ctx ends: then it returns nil. It returns earlier when something
// cannot go on. A node runs once.
func (n *Node) Run(ctx context.Context) error {
	n.mu.Lock()
	if n.closed || n.running {
		defer n.mu.Unlock()
		if n.closed {
			return ErrClosed
		}
		return ErrRunning
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.running, n.cancel = true, cancel
	n.mu.Unlock()
	defer close(n.ended)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.service.Run(ctx) })
	g.Go(func() error { return n.finder.Run(ctx) })
	g.Go(func() error { return n.dialer.run(ctx) })
	g.Go(func() error { return n.plain.run(ctx) })
	g.Go(func() error { return n.runSeeds(ctx) })
	g.Go(func() error { return n.enter(ctx) })
	g.Go(func() error { return n.keepKnown(ctx) })
	g.Go(func() error { return n.runGuard(ctx) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("running the node: %w", err)
	}
	return nil
}

// Close ends Run, waits for it, and closes all that was opened. It may be called more than once.
func (n *Node) Close() error {
	n.closing.Do(func() {
		n.mu.Lock()
		n.closed = true
		running := n.running
		n.mu.Unlock()
		if running {
			n.cancel()
			<-n.ended
		}
		n.fault = n.shut()
	})
	return n.fault
}

// shut closes what was opened, from the top to the bottom.
func (n *Node) shut() error {
	var errs []error
	if n.plain != nil {
		errs = append(errs, n.plain.close())
	}
	for _, t := range n.tables {
		errs = append(errs, t.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.host != nil && n.ownHost {
		errs = append(errs, n.host.Close())
	}
	if n.db != nil && n.ownDB {
		errs = append(errs, n.db.Close())
	}
	return errors.Join(errs...)
}

// Host returns the libp2p host.
func (n *Node) Host() host.Host { return n.host }

// Store returns the store of cores. Cores that are opened there fetch what they lack, as all do, but are not announced.
func (n *Node) Store() *corestore.Store { return n.store }

// Config returns the configuration with all defaults.
func (n *Node) Config() config.Config { return n.config }
