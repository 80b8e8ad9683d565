package keys

import "encoding/hex"

// A Key names a core and lets its holder read it: the hash of the core's manifest, or, for cores of the older kind
// called compat, the public key of the only signer.
type Key [32]byte

// String returns k in z-base-32, 52 characters.
func (k Key) String() string { return format((*[32]byte)(&k)) }

// Hex returns k in hexadecimal, 64 characters (%x would give that of the text).
func (k Key) Hex() string { return hex.EncodeToString(k[:]) }

// IsZero tells whether k is all zero, which is no core's key.
func (k Key) IsZero() bool { return k == Key{} }

// MarshalText implements [encoding.TextMarshaler] with the form of [Key.String].
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; it accepts what [Parse] accepts.
func (k *Key) UnmarshalText(text []byte) error { return unmarshal(k, text) }

// Discovery returns the name under which peers look for the core without giving away its key: the BLAKE2b-256 of the
// word "hypercore", keyed with k.
func (k Key) Discovery() DiscoveryKey { return HashKeyed(k[:], []byte("hypercore")) }

// A DiscoveryKey is the public name of a core; see [Key.Discovery].
type DiscoveryKey [32]byte

// String returns k in z-base-32, 52 characters.
func (k DiscoveryKey) String() string { return format((*[32]byte)(&k)) }

// Hex returns k in hexadecimal, 64 characters (%x would give that of the text).
func (k DiscoveryKey) Hex() string { return hex.EncodeToString(k[:]) }

// IsZero tells whether k is all zero, which is no core's discovery key.
func (k DiscoveryKey) IsZero() bool { return k == DiscoveryKey{} }

// MarshalText implements [encoding.TextMarshaler] with the form of [DiscoveryKey.String].
func (k DiscoveryKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; it accepts what [ParseDiscoveryKey] accepts.
func (k *DiscoveryKey) UnmarshalText(text []byte) error { return unmarshal(k, text) }

// A PublicKey is the Ed25519 key of a signer. It is not checked to be a point of the curve; [Verify] does that.
type PublicKey [32]byte

// String returns k in z-base-32, 52 characters.
func (k PublicKey) String() string { return format((*[32]byte)(&k)) }

// Hex returns k in hexadecimal, 64 characters (%x would give that of the text).
func (k PublicKey) Hex() string { return hex.EncodeToString(k[:]) }

// IsZero tells whether k is all zero, which is no usable key.
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// MarshalText implements [encoding.TextMarshaler] with the form of [PublicKey.String].
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; it accepts what [ParsePublicKey] accepts.
func (k *PublicKey) UnmarshalText(text []byte) error { return unmarshal(k, text) }

// unmarshal leaves k as it was when text is no key.
func unmarshal[K ~[32]byte](k *K, text []byte) error {
	v, err := parse[K](string(text))
	if err == nil {
		*k = v
	}
	return err
}
