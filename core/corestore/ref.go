package corestore

import (
	"fmt"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
)

// MaxName is the greatest length of a name, in bytes.
const MaxName = 512

// Ref says which core to open, and how. Make one with Name, Key, Discovery, Pair or Manifest, and set further fields if need be:
// Encryption, ReadOnly, MustExist, Compat, Sign. The store sets Source and Origin itself, and for a name Pair and Derived. What
// belongs to the log and not to the handle, such as OnShut, counts in the ref that opens it first.
type Ref struct {
	core.Options
	// Exclusive waits until no other exclusive handle on the core is open, and keeps others waiting until this one is closed.
	Exclusive bool

	name  string
	named bool
}

// Name refers to the core of that name in the namespace of the store session that opens it. Names are bytes: no two spellings of
// one text are the same.
func Name(name string) Ref { return Ref{name: name, named: true} }

// Key refers to a core by its public key: to read it, or to write it if it was made here.
func Key(k keys.Key) Ref { return Ref{Options: core.Options{Key: k}} }

// Discovery refers to a core that the store holds already.
func Discovery(d keys.DiscoveryKey) Ref { return Ref{Options: core.Options{Discovery: d}} }

// Pair refers to the core that this key pair alone signs. The pair's seed is kept among the store's secrets.
func Pair(p keys.Pair) Ref { return Ref{Options: core.Options{Pair: p}} }

// Manifest refers to the core that a manifest describes.
func Manifest(m *manifest.Manifest) Ref { return Ref{Options: core.Options{Manifest: m}} }

// check refuses what cannot be.
func (r *Ref) check() error {
	if r.named && (r.name == "" || len(r.name) > MaxName) {
		return fmt.Errorf("%w: %d bytes, 1 to %d are allowed", ErrName, len(r.name), MaxName)
	}
	if r.named && !(r.Key.IsZero() && r.Discovery.IsZero() && r.Pair.IsZero()) {
		return fmt.Errorf("%w: a name and another key", core.ErrOptions)
	}
	return nil
}

// origin is kept with a named core: how its key pair is derived.
type origin struct {
	ns   keys.StoreNamespace
	name []byte
}

func (o origin) encode() []byte { return append(append([]byte(nil), o.ns[:]...), o.name...) }

func decodeOrigin(b []byte) (o origin, ok bool) {
	if len(b) <= len(o.ns) {
		return o, false
	}
	copy(o.ns[:], b)
	return origin{o.ns, b[len(o.ns):]}, true
}
