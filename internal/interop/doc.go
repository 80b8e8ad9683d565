// Package interop is a kit for tests that drive stock JavaScript peers: what they write is read here, and the other way
// round.
//
// Start with [Start], which runs a process of the JavaScript stack, and with [Peer.Store] and [NewNode], which make the two
// kinds of [Side]: a store with a replicator, of either make, behind one interface. A test written for two Sides runs for
// any pair of them. [Connect] joins two Sides by TCP on loopback, over either framing. What a Side does not offer is asked
// of the process by [Peer.Command]; the commands are described in the folder js, file by file.
//
// [StartLibp2p] runs a process that speaks over js-libp2p too, by [Store.Host]; [BuildProgram] compiles the command of this
// module, for tests in which both makes are processes of their own.
//
// The packages of the JavaScript stack are installed by "make js". A test skips when they are not there, but fails where
// the environment has CI=true. Everything has a deadline, and every process and goroutine ends with the test.
package interop
