// Package testnet is networks for tests: links with delay, rate, losses, stalls and cuts.
//
// [NewLink] joins two ends in memory, each a [net.Conn]. It starts no goroutine and keeps time by timers and channels
// alone, so that it runs on the fake clock of testing/synctest as on the real one. [NewProxy] stands between two real
// processes that speak TCP, [NewPacketProxy] between two that speak UDP.
//
// A [Shape] says what a direction does to what passes. A stream loses nothing: where its Shape loses a segment, that
// and all behind it come later, as with TCP. Packets are lost, and overtake each other.
package testnet
