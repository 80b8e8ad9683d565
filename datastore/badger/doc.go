// Package badger opens a store in a folder over Badger v4.
//
// [Open] is the only function most programs need. Badger's transactions carry the commits, its snapshots the views.
// Records and blocks lie side by side in it; values of a kilobyte and more go to its value log, whose space comes back
// by DB.Compact.
//
// With [datastore.Full] each commit is synced before it is acknowledged, lazy ones too. With [datastore.Process] a
// commit survives the death of the process; after a power loss, commits since the last sync may be missing, and a
// record among them may read as corrupt, never as a wrong value.
//
// Badger writes through memory maps, and a memory map on a full disk ends the process. The free-space reserve of
// Options keeps the store from that, so it should not be switched off.
package badger
