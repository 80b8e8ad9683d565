package keys

// A StoreNamespace keeps the names of one user of a store apart from those of the others. The zero value is the root,
// where names are looked up when nothing else is said.
type StoreNamespace [32]byte

// Child returns the namespace called name under n: the hash of n followed by name. Names are bytes, taken as they are
// (text is not normalised); the empty one is a namespace of its own, not n.
func (n StoreNamespace) Child(name []byte) StoreNamespace { return Hash(n[:], name) }

// Seed returns the seed of the core called name in ns: the BLAKE2b-256, keyed with p, of the store constant, ns and name.
func (p PrimaryKey) Seed(ns StoreNamespace, name []byte) Seed {
	return HashKeyed(p[:], corestore[:], ns[:], name)
}

// Pair returns the key pair of the core called name in ns.
func (p PrimaryKey) Pair(ns StoreNamespace, name []byte) Pair { return PairFromSeed(p.Seed(ns, name)) }
