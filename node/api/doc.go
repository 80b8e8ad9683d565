// Package api controls a running node through a unix socket: HTTP with JSON.
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
//	GET    /v1/drives/KEY/entries   every entry of a drive, one JSON object a line
//	GET    /v1/drives/KEY/tree      the files of a drive as a tar; ?prefix=
//	PUT    /v1/drives/KEY/tree      a tar whose files are put into a drive of the node's own; gives a Put
//	GET    /v1/drives/KEY/files/PATH     a file, or a range of it
//	PUT    /v1/drives/KEY/files/PATH     put a file; ?executable=true&mtime=MILLISECONDS
//	DELETE /v1/drives/KEY/files/PATH     remove a file
//	POST   /v1/stop          end the node
//	GET    /healthz, /readyz
//
// Errors are objects {"error": text, "code": one of the Code constants}.
package api
