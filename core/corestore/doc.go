// Package corestore keeps many cores in one store, all from one key.
//
// A store has a primary key. From it and a name the key pair of a core is derived, so that who keeps the primary key can
// make all of them again, here or with the JavaScript stack: the same primary key and the same names give the same cores.
// Namespaces keep the names of different programs, or parts of one, apart. Cores of others are opened by their key.
//
//	db, err := pebble.Open("data", pebble.Options{})
//	store, err := corestore.Open(ctx, db, corestore.Options{})
//	log, err := store.Open(ctx, corestore.Name("events"))
//
// Start with [Open] and [Store.Open]. A core that is asked for many times is opened once: each caller gets a handle of its own on
// the same log, and the log closes with the last handle. An open core that is idle costs a few hundred bytes and neither goroutine
// nor file, so a store may have a hundred thousand of them.
//
// The key of a name is HK(primary key, CORESTORE || namespace || name), where HK is keyed BLAKE2b-256; it is the seed of an Ed25519
// pair whose default manifest, version 1, makes the core's key. A child namespace is BLAKE2b-256(parent || name), the root 32
// zero bytes.
package corestore
