//go:build race

package merkle_test

// The race detector slows the mutations down tenfold, and there is nothing concurrent to find in them.
const (
	lengthStep = 7
	sampled    = 5.0
)
