// Package mirror makes one tree of files like another: a folder like a drive, a drive like a folder, a drive like a drive, a
// folder like a folder.
//
//	stats, err := mirror.Sync(ctx, mirror.Dir("~/Photos"), mirror.Drive(d), mirror.Options{Prune: true})
//
// Start with Sync. Plan tells what it would do, Follow goes on with what changes later. What is equal is left alone: a drive whose
// folder did not change keeps its version, and a run that was interrupted goes on where it was.
//
// # What is equal
//
// Files are equal when their size, their executable bit and their contents are. Contents are taken for equal without being read
// when both trees know the time of the last change and it is the same millisecond; a drive knows it when its files were written
// with Options.Times, or by another who keeps {"mtime":MILLISECONDS} in the metadata. Else they are compared. From drive to drive
// the metadata must be equal too. An attribute that differs is set without writing the contents again. Permissions are taken from
// a drive when a file is written, never compared. Empty folders are not mirrored: a drive has none.
//
// # What is left out
//
// Options.Filter, and the patterns of Options.Ignore and of files named .hypernodeignore in the tree that is read, in the syntax of
// gitignore, leave out files and folders on both sides: they are not written, and not removed. The ignore files themselves are
// mirrored. A .git folder is nothing special: who does not want it writes .git/ into an ignore file. Sockets, devices and other
// special files are passed over with a note, as are mounts. So is what could not be read; nothing below it is removed.
//
// Symbolic links are never followed. A drive takes them as they are. A folder takes them only with Options.Links, and only those
// that are relative and lead to a place inside the folder.
//
// # Trust
//
// A drive is written by others, and its names, links and sizes can be anything. Whatever they are, nothing outside the target is
// changed: all work on a folder goes through os.Root, no link is followed below it on the way to a file, and a file is never written
// through another name of it. Names that the system cannot take, that mean another place, or that differ from a present one
// only in case where the system takes both for the same, are reported and skipped, as is a file where a folder must be. Options.MaxFiles
// and MaxBytes bound what is written.
//
// A file is written under a temporary name beside its place and renamed once it is complete and is what was to be read.
// Files in a folder are not synced one by one: after a power loss the next run writes those again that were lost.
// Where the system has file locks, two runs that write to one folder take turns, also those of two processes.
// A file that changes while it is read is read again, a few times, then reported.
//
// # Errors
//
// What is wrong with one file concerns that file: the rest goes on, and the error at the end is a *PartialError that lists what
// failed. What ends a run at once is a failure of the target, such as a full disk, or the end of the context.
package mirror
