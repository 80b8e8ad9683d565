// Package drive is a file system in two cores: a bee of entries, and a core of contents.
//
// Start with [Create], which makes a drive of one's own by name, and [Open], which opens any by its key; then [Drive.WriteFile],
// [Drive.ReadFile], [Drive.Open] and [Drive.List]. Many changes in one commit are an [Drive.Update]; [Drive.Create] writes a file
// of any length in bounded memory; [Drive.FS] is the drive as an io/fs.FS. [Drive.At] is any version of the past. Blocks and keys
// are those of Hyperdrive 13.
//
// Folders are not kept: they are what the paths of the entries have in common, so an empty one does not exist. A path may be a file
// and a folder at once. Entries are in the order of the bytes of their paths.
//
// The invariant: the contents of a file and its entry are committed together, so that after a crash there is no entry without its
// bytes. What was changed is durable when the call returns, as the store's durability says.
//
// The key of the contents follows from the manifest of the bee's core: the same signers, with namespaces of their own. Old drives
// name it in their header. A drive can be encrypted, both cores under one key; who has only the drive's key can copy and serve it.
//
// # Mounts
//
// [Drive.Mount] puts another drive at a path, so that a group of people who each write a drive of their own share one tree. What
// lies below the path is read from there, and written there if this store can. A mount is an entry with the metadata
// {"mount":{"key":HEX}}, with "version" to pin it and "path" to show only a folder of it; other implementations see an empty file.
// Listings, differences, watches and downloads stop at mounts unless asked to cross them.
//
// # Trust
//
// Who writes a drive can put anything into it. Values and block ids are checked when they are read, lookups end after a bounded
// number of links and mounts, and no file has more bytes than there are. Paths in listings are the writer's: they are not fit for
// another file system until they have been checked.
package drive
