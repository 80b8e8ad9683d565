// Package durable holds what makes files outlive a crash, over the file system interface of Pebble: directories that
// are synced with what was put into them, files that are written whole or not at all, and a layer that keeps every
// change in memory, so that a store can be opened without a single write to its disk.
//
// Package crashfs below it is the test kit: it counts and breaks what a store does to its files.
package durable
