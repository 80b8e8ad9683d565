// Package netlab runs the program as its users do: real processes of the built command, each on a machine of its own, which
// is a network namespace of Linux. It has only tests.
//
// The machines of a test hang on one bridge and reach nothing else. Their namespaces have no names: each belongs to a thread
// of the test, and so they and all processes in them are gone with the test, however that ends. It takes root to make them;
// without it the tests are skipped.
//
// These environment variables ask for more than the quick run does:
//
//	HYPERNODE_NETLAB=long     whole trees (the Go toolchain's sources), more kills, sharper bounds
//	HYPERNODE_NETLAB_LOG=1    what all processes say, as the tests go
//	HYPERNODE_KUBO=1          build the IPFS node, unless it is there
//	HYPERNODE_NETLAB_BINARY   the command to try, in place of one that is built for the run
//
// The folder kubo is a module of its own, which pins the IPFS node that ours is tried against. It is built into kubo/bin by
//
//	cd kubo && go build -o bin/ipfs github.com/ipfs/kubo/cmd/ipfs
package netlab
