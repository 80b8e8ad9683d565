//go:build !unix

package swarm

// descriptors is how many sockets the network may have open.
func descriptors() int { return 1024 }
