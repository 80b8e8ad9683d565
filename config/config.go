package config

import "path/filepath"

// Config is how a node is set up. The zero value of each field stands for its default, which [Config.Filled] puts in.
// The comment tag of a field is what users are told about it.
type Config struct {
	// Path is the folder that holds everything: the store, the identity, the socket. It is not a key of the file: a flag,
	// HYPERNODE_PATH or the program says it. An empty Path keeps everything in memory.
	Path string `toml:"-"`

	Store       Store       `toml:"store" comment:"Where and how cores are kept."`
	Network     Network     `toml:"network" comment:"How other nodes are reached."`
	Discovery   Discovery   `toml:"discovery" comment:"How other nodes are found."`
	Peers       Peers       `toml:"peers" comment:"Nodes that are known by name."`
	Replication Replication `toml:"replication" comment:"What is exchanged with others."`
	Limits      Limits      `toml:"limits" comment:"What the node may use at most."`
	API         API         `toml:"api" comment:"How the node is controlled."`
	Log         Log         `toml:"log" comment:"What the node tells of itself."`
}

// Store says where and how cores are kept.
type Store struct {
	Engine     string `toml:"engine" comment:"pebble, badger or memory"`
	Path       string `toml:"path" comment:"folder of the store; a relative one lies in the folder that holds everything"`
	Durability string `toml:"durability" comment:"full: what was written survives a power loss; process: it survives the end of the process"`
}

// Network says how other nodes are reached.
type Network struct {
	Transports   []string `toml:"transports" comment:"any of tcp, quic, webtransport, websocket, webrtc-direct"`
	Listen       []string `toml:"listen" comment:"addresses that must be bound, as multiaddrs, or tcp://HOST:PORT for stock Hypercore peers; without a multiaddr the default port is taken, or a free one"`
	Port         int      `toml:"port" comment:"default port, TCP and UDP; another is taken when it is busy; -1 takes a free one at once"`
	Announce     []string `toml:"announce" comment:"addresses to tell others in place of those that are bound, as multiaddrs"`
	Relay        string   `toml:"relay" comment:"client: be reached through relays where nothing else goes; server: relay for others too; off"`
	Relays       []string `toml:"relays" comment:"relays to use, as multiaddrs that end in /p2p/ID; none means those that are found"`
	HolePunching string   `toml:"hole_punching" comment:"on or off: connect directly to nodes that were met through a relay"`
	AutoNAT      string   `toml:"autonat" comment:"on or off: ask others whether this node can be reached"`
	PortMapping  string   `toml:"port_mapping" comment:"on or off: ask the router for a port (UPnP, NAT-PMP)"`
}

// Discovery says how other nodes are found.
type Discovery struct {
	Profile         string   `toml:"profile" comment:"own: the network of this program and the LAN; lan: the LAN only; public: own, and the public IPFS network as a client; offline: nobody is looked for"`
	Bootstrap       []string `toml:"bootstrap" comment:"nodes through which the own network is entered, as multiaddrs that end in /p2p/ID"`
	PublicBootstrap []string `toml:"public_bootstrap" comment:"nodes through which the public IPFS network is entered; none means its well-known ones"`
	Announce        string   `toml:"announce" comment:"on or off: tell others what is held here, or only look for what they hold"`
	MDNS            string   `toml:"mdns" comment:"on or off: find nodes on the LAN by multicast"`
	LocalPorts      string   `toml:"local_ports" comment:"on or off: look for other nodes of this machine at the default port"`
}

// Peers names other nodes.
type Peers struct {
	Static []string `toml:"static" comment:"nodes to stay connected to, as multiaddrs that end in /p2p/ID, or tcp://HOST:PORT for stock Hypercore peers"`
	Allow  []string `toml:"allow" comment:"talk to these only: peer ids, or networks as 192.0.2.0/24; none means all"`
	Deny   []string `toml:"deny" comment:"never talk to these: peer ids, or networks"`
}

// Replication says what is exchanged with others.
type Replication struct {
	AnnounceToAll string `toml:"announce_to_all" comment:"on or off: offer every open core to every peer, as stock Hypercore peers expect of a node that they only listen to"`
	Upload        string `toml:"upload" comment:"on or off: serve blocks to others"`
}

// Limits say what the node may use at most. Sizes are bytes, or texts like 512MiB.
type Limits struct {
	ConnectionsLow  int   `toml:"connections_low" comment:"idle connections are closed down to this number"`
	ConnectionsHigh int   `toml:"connections_high" comment:"once there are more than this"`
	Memory          Bytes `toml:"memory" comment:"memory of the network part, like 512MiB; 0 means an eighth of the machine's"`
	PeerStreams     int   `toml:"peer_streams" comment:"streams that one peer may have open"`
	PeersPerAddress int   `toml:"peers_per_address" comment:"connections from one IPv4 address or IPv6 /56; loopback is not counted"`
	Dials           int   `toml:"dials" comment:"connections that are attempted at a time"`
	UploadRate      Bytes `toml:"upload_rate" comment:"bytes per second that are sent to others, like 2MiB; 0 means no limit"`
	DownloadRate    Bytes `toml:"download_rate" comment:"bytes per second that are fetched; 0 means no limit"`
	Store           Bytes `toml:"store" comment:"disk that the store may use, like 100GiB: seeds are not fetched beyond it, and nothing is shared; 0 means no limit"`
}

// API says how the node is controlled.
type API struct {
	Socket string   `toml:"socket" comment:"unix socket; none means node.sock in the runtime folder, else in the folder that holds everything"`
	Listen []string `toml:"listen" comment:"HOST:PORT at which the node is controlled by HTTP too, with a token of the folder tokens; none means by the socket only"`
	Hosts  []string `toml:"hosts" comment:"names of that for others, as a proxy in front of it has; its address and localhost are known"`
}

// Log says what the node tells of itself.
type Log struct {
	Level  string `toml:"level" comment:"debug, info, warn or error, and those of parts, like info,discovery=debug; parts are node, store, network, discovery, replication, api and libp2p"`
	Format string `toml:"format" comment:"text or json"`
}

// On is the value of switches, and so is Off.
const (
	On  = "on"
	Off = "off"
)

// The discovery profiles.
const (
	Own     = "own"     // our own network, wide and on the LAN
	LAN     = "lan"     // the LAN only
	Public  = "public"  // our own network, and the public one as a client
	Offline = "offline" // nobody is looked for; others may connect
)

// DefaultPort is where a node listens, TCP and UDP, unless it is told otherwise.
const DefaultPort = 4977

// FreePort as Network.Port takes a free port at once.
const FreePort = -1

// Default returns the configuration with every default written out.
func Default() Config {
	return Config{
		Store: Store{Engine: "pebble", Path: "store", Durability: "full"},
		Network: Network{
			Transports: []string{"tcp", "quic", "webtransport", "websocket", "webrtc-direct"},
			Port:       DefaultPort, Relay: "client", HolePunching: On, AutoNAT: On, PortMapping: On,
		},
		Discovery:   Discovery{Profile: Public, Announce: On, MDNS: On, LocalPorts: On},
		Replication: Replication{AnnounceToAll: Off, Upload: On},
		Limits:      Limits{ConnectionsLow: 160, ConnectionsHigh: 256, PeerStreams: 256, PeersPerAddress: 32, Dials: 16},
		Log:         Log{Level: "info", Format: "text"},
	}
}

// Filled returns c with the defaults in the place of zero values.
func (c Config) Filled() Config {
	d := Default()
	for f := range fields(&c) {
		if f.value.IsZero() {
			f.value.Set(f.in(&d))
		}
	}
	return c
}

// StorePath returns the folder of the store, empty when everything is in memory.
func (c Config) StorePath() string {
	c = c.Filled()
	if c.Path == "" && !filepath.IsAbs(c.Store.Path) {
		return ""
	}
	if filepath.IsAbs(c.Store.Path) {
		return c.Store.Path
	}
	return filepath.Join(c.Path, c.Store.Path)
}
