package keys

// The constants of the formats. They are never written to.
var (
	hypercore = [6][32]byte(Namespace("hypercore", 6))
	corestore = Namespace("corestore", 1)[0]
)

// Tree is the constant that opens what a signer signs.
func Tree() [32]byte { return hypercore[0] }

// ReplicateInitiator is the constant in the capability of the peer that opened the connection.
func ReplicateInitiator() [32]byte { return hypercore[1] }

// ReplicateResponder is the constant in the capability of the peer that accepted the connection.
func ReplicateResponder() [32]byte { return hypercore[2] }

// ManifestNS is the constant that opens what a core's key is the hash of.
func ManifestNS() [32]byte { return hypercore[3] }

// DefaultNamespace is the namespace of a signer that was given none.
func DefaultNamespace() [32]byte { return hypercore[4] }

// DefaultEncryption is the constant in the derivation of a core's block encryption key.
func DefaultEncryption() [32]byte { return hypercore[5] }
