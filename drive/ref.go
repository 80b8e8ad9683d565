package drive

import (
	"github.com/hypernode/hypernode/core/keys"
)

// Ref says which drive to open, and how. Make one with Name, Own or Key, and set further fields if need be.
type Ref struct {
	// Encryption is the key of an encrypted drive, zero for none. It encrypts entries and contents. It is never stored.
	Encryption [32]byte
	// ReadOnly refuses all changes.
	ReadOnly bool
	// MustExist fails with core.ErrNotFound when the store does not hold the drive.
	MustExist bool
	// Cache is how many bytes of decoded entries are kept in memory, give or take; 0 means DefaultCache.
	Cache int
	// Unlock returns the encryption keys of mounted drives, false where it knows none. It is called while paths are resolved.
	Unlock func(drive keys.Key) (encryption [32]byte, ok bool)

	name  string
	named bool
	key   keys.Key

	parent keys.DiscoveryKey // the drive that mounts this one
}

// DefaultCache is how many bytes of decoded entries a drive keeps in memory.
const DefaultCache = 32 << 20

// coreName is the name of a drive's bee in its namespace. That of the contents is derived.
const coreName = "db"

// Name refers to the drive of that name: the one of the store session's namespace of that name.
func Name(name string) Ref { return Ref{name: name, named: true} }

// Own refers to the drive of the store session's own namespace, which is what other implementations open in a store when nothing
// else is said.
func Own() Ref { return Ref{} }

// Key refers to a drive by its key: to read it, or to write it if it was made in this store.
func Key(k keys.Key) Ref { return Ref{key: k} }
