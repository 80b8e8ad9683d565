// Package sim simulates many peers that replicate cores over bad networks. All of it are tests; nothing is imported.
//
// A scenario is made by a seed: how many peers there are and which of them are linked, by what delay, rate and losses,
// when links stall and are cut, who writes, what is appended, truncated and cleared, who reads all and who reads a
// part. It runs on a fake clock, so that minutes pass in milliseconds. In the end every reader has what it wants, byte
// for byte, no goroutine is left, and hardly a block came twice.
//
// HYPERNODE_SIM_SEEDS says how many seeds to run, HYPERNODE_SIM_SEED runs one alone and tells what happens in it. Chance
// and time are a seed's own, the order in which goroutines run is not: a failure comes again most times, not always.
package sim
