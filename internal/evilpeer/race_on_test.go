//go:build race

package evilpeer

// raceEnabled tells that the race detector makes everything slow.
const raceEnabled = true
