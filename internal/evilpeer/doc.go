// Package evilpeer misbehaves: it speaks the replication protocol as no honest peer would.
//
// [All] lists the misbehaviours. Each is one function that attacks a [Target] until its context ends, by connections of
// its own, and says by a [Budget] what that may cost the target. [Sequence] makes random messages, right ones and wrong
// ones, for a session that must survive them.
//
// The tests of the package let each misbehaviour loose on a process that at the same time gives a core to an honest peer
// and takes one from it.
package evilpeer
