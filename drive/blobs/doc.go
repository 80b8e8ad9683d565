// Package blobs keeps files in a core, each as a run of blocks.
//
// Start with [New], which takes the core, [Blobs.Put], which appends a file that is in memory and returns its [ID], and [Blobs.Open],
// which reads one. [Blobs.NewWriter] writes a file of any length in bounded memory. Blocks and ids are those of Hyperblobs 2.
//
// A blob is cut into blocks of 64 KiB. Its id names the blocks and the place of its bytes among all bytes of the core, so that a
// reader finds the block of any byte by the sizes in the core's tree. A blob that shares blocks with others has a block map instead:
// a list of blocks and sizes, which lies in the core too, and which the id names.
//
// The invariant: what is read is the blob, or an error. Ids and maps are suspect, since whoever writes the core can make any; they
// are checked against each other and against the tree, no byte outside of the blob is returned, and no more memory is taken than
// there are bytes.
//
// One writes at a time: [Blobs.Lock] waits for that, across all handles of the core in this process. A [Tail] holds what is not
// appended yet, so that a drive can append a file and the entry that names it in one commit.
package blobs
