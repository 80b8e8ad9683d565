package datastore

import "iter"

// Engine is what a DB stands on: a sorted set of records, and of blocks where the engine keeps those apart.
//
// A DB calls Commit from one goroutine at a time; Reader and Sync may run beside it. Keys have the form that Key
// describes. An engine keeps no reference to the keys and values of a Batch after Commit has returned, and hands out
// values that the caller may keep.
//
// An engine moves only forward: what a Reader shows, and what is found after a crash, is the state after some prefix
// of the sequence of commits, never a part of a commit, never a commit without the ones before it.
type Engine interface {
	// Reader returns a view of the state after the last commit that has returned.
	Reader() (Reader, error)
	// Commit applies b whole or not at all. It returns once b has been handed to the kernel, so that it survives the
	// death of the process; with durable set, once b and all commits before it are on stable storage, so that they
	// survive a power loss. After an error b is not visible and will not be after a reopen either, or the engine is
	// failed: then every later Commit returns an error that wraps ErrStoreFailed. An error that wraps ErrNoSpace,
	// ErrTooLarge or ENOSPC, but not ErrStoreFailed, says that the engine is as it was and takes further commits;
	// after any other error the DB calls Commit no more.
	Commit(b *Batch, durable bool) error
	// Sync puts all commits that returned before the call on stable storage. After an error the DB calls neither Sync
	// nor Commit any more. At most one Sync runs at a time.
	Sync() error
	// Close syncs and gives up the resources. A DB calls it once, after all readers are closed, and also when a Commit
	// or a Sync failed.
	Close() error
}

// Reader is a consistent view of an Engine. Its methods may be called from several goroutines; Close ends it.
type Reader interface {
	// Get returns the value of a record, or ErrNotFound.
	Get(key []byte) ([]byte, error)
	// Scan yields the records with lo <= key < hi in ascending order, or in descending order when reverse is set.
	// Key and Value of a Record are valid until the next one is asked for. After an error the sequence ends.
	Scan(lo, hi []byte, reverse bool) iter.Seq2[Record, error]
	// Close ends the view.
	Close() error
}

// Record is one key with its value.
type Record struct{ Key, Value []byte }

// BlockEngine is an Engine that keeps block bytes apart from records, for example in files. A DB gives block
// operations only to such an engine; for any other it keeps blocks as records.
//
// Blocks and records have separate key spaces. The engine checks a block's Checksum whenever it reads it.
type BlockEngine interface {
	Engine
	// BlockReader returns a view like Reader that can read blocks too.
	BlockReader() (BlockReader, error)
}

// BlockReader is a Reader of a BlockEngine.
type BlockReader interface {
	Reader
	// Block returns the bytes of a block, ErrNotFound, or a *CorruptError when its bytes are not those that were
	// committed. A block that a later commit removed may read as ErrNotFound.
	Block(key []byte) ([]byte, error)
	// Blocks yields the blocks with lo <= key < hi in ascending order, reading ahead. A corrupt block is yielded as a
	// *CorruptError that names its key, and the sequence goes on behind it; any other error ends the sequence.
	Blocks(lo, hi []byte) iter.Seq2[Record, error]
}

// OpKind tells what an Op does.
type OpKind uint8

// The kinds of operations in a Batch.
const (
	// OpSet sets the record Key to Value.
	OpSet OpKind = iota + 1
	// OpDelete removes the record Key, if it is there.
	OpDelete
	// OpDeleteRange removes the records with Key <= key < End.
	OpDeleteRange
	// OpSetBlock sets the block Key to Value, whose Checksum is Sum. Only for a BlockEngine.
	OpSetBlock
	// OpDeleteBlocks removes the blocks with Key <= key < End and gives their space back. Only for a BlockEngine.
	OpDeleteBlocks
)

// Op is one change.
type Op struct {
	Kind       OpKind
	Key, Value []byte
	End        []byte // of a range
	Sum        uint32 // of a block
}

// Batch is what one Commit applies, in order.
type Batch struct {
	Ops []Op
	// Bytes is the sum of the lengths of all keys and values.
	Bytes int
	// Awaited tells that a Sync comes as soon as Commit has returned, and that somebody waits for it: what it has to write may
	// be set in motion before the batch is made visible.
	Awaited bool
}

// Spacer is an Engine that knows how much room there is.
type Spacer interface {
	// Free returns the bytes that can still be written, before any reserve, and the size of the medium.
	Free() (free, total uint64, err error)
	// Used returns the bytes that the store takes on the medium.
	Used() (uint64, error)
}

// Compacter is an Engine that can give back space early.
type Compacter interface {
	// Compact gives back the space of what was removed with lo <= key < hi, of records and blocks. It may run beside
	// all else.
	Compact(lo, hi []byte) error
}

// Failer is an Engine that can find out outside of a Commit or Sync that it cannot go on, for example when it is
// opened over damage or by a write in the background.
type Failer interface {
	// Err returns nil, or why the engine takes no commits any more.
	Err() error
}

// Secrets keeps small secrets that cannot be derived again, outside of the records: an engine that owns a folder keeps
// each in a file of mode 0600. Names are of lower-case letters, digits and "-", at most 100 bytes.
type Secrets interface {
	// Load returns a secret, or ErrNotFound.
	Load(name string) ([]byte, error)
	// Store puts a secret on stable storage before it returns.
	Store(name string, secret []byte) error
	// Remove erases a secret. It is no error when there is none.
	Remove(name string) error
}

// SecretKeeper is an Engine that has a place for secrets.
type SecretKeeper interface{ Secrets() Secrets }
