//go:build !race

package merkle_test

const (
	lengthStep = 1    // every length is tried
	sampled    = 20.0 // scales how many answers are mutated in the short test
)
