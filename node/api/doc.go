// Package api controls a running node through a unix socket, and by TCP where that is configured: HTTP with JSON.
//
// Start with [Serve] beside node.Run, and with [Dial] in the program that gives the orders. [Path] says where the socket
// lies. Who may open the socket may do everything: it has mode 0600, and so only the node's user may.
//
//	GET    /v1/status        node.Status, with the program's version
//	GET    /v1/peers         list of node.Peer
//	GET    /v1/seeds         list of node.Seed
//	PUT    /v1/seeds/KEY     node.SeedOptions: seed
//	DELETE /v1/seeds/KEY     unseed
//	POST   /v1/hints/KEY     list of multiaddrs: peers that may have it
//	POST   /v1/drives/NAME   make or open the node's own drive of that name, and seed it; gives a Share
//	POST   /v1/names/NAME    make or open the node's own drive of that name, and seed it not; ?create=false; a Share
//	GET    /v1/drives/KEY    a Share, without addresses
//	GET    /v1/drives/KEY/entries   every entry of a drive, one JSON object a line; ?prefix=, or the one at ?path=
//	POST   /v1/drives/KEY/fetch     a Fetch: fetch it and hold it open; Fetching, one a line, until the request ends
//	DELETE /v1/drives/KEY           delete a drive that somebody else writes from the store
//	GET    /v1/drives/KEY/tree      the files of a drive as a tar; ?prefix=
//	PUT    /v1/drives/KEY/tree      a tar whose files are put into a drive of the node's own; gives a Put
//	GET    /v1/drives/KEY/files/PATH     a file, or a range of it
//	PUT    /v1/drives/KEY/files/PATH     put a file; ?executable=true&mtime=MILLISECONDS
//	DELETE /v1/drives/KEY/files/PATH     remove a file
//
// A drive is read at ?version=, by default its newest.
//
//	POST   /v1/command       a CommandLine: carry it out; the connection is switched to frames of its output and files
//	POST   /v1/stop          end the node
//	GET    /healthz, /readyz
//	GET    /metrics          figures for Prometheus, hypernode_* and those of the network and the process
//	GET    /debug/pprof/     profiles of the process
//
// Errors are objects {"error": text, "code": one of the Code constants}.
//
// At the addresses of config.API.Listen the same is answered, but for the profiles, to requests with a token of [TokenPath]
// (Authorization: Bearer TOKEN) that has the [Scope] which the request takes: read for what is only looked at, seed for seeds,
// hints and fetches, write for what changes or deletes drives, admin for command and stop. A request must name this host, by its
// address, as localhost, or by a name of config.API.Hosts, and must not come from another site's page. [DialTCP] makes a client.
package api
