package arch

// Module is the path of the module whose packages are checked.
const Module = "github.com/hypernode/hypernode"

// Rules is an import table. Packages are named by their path inside the module; a name that ends in "/..." stands for
// the folder and everything below it, and the most exact name that fits a package counts.
type Rules struct {
	// Floors are the packages from the top to the bottom. A package imports from the floors below its own, and from
	// its own.
	Floors [][]string

	// Pure packages do no I/O and start no goroutine, and import no package of the module that does.
	Pure []string

	// Kits are for tests: only tests and other kits import them, and of all code outside tests only they import the
	// package testing.
	Kits []string

	// Network packages may link libp2p. No other package does, not even through another.
	Network []string
}

// House returns the import table of this module.
func House() Rules {
	return Rules{
		Floors: [][]string{
			{"cmd/...", "internal/bench", "internal/nodebench", "internal/netlab/..."},
			{"node/..."},
			{"internal/interop/...", "internal/evilpeer/..."},
			{"protocols", "protocols/discovery/..."},
			{"protocols/replicate"},
			{"protocols/mux"},
			{"protocols/secretstream"},
			{"protocols/wire"},
			{"drive/mirror"},
			{"drive"},
			{"drive/blobs"},
			{"bee"},
			{"core/corestore"},
			{"core"},
			{"core/manifest", "core/merkle", "core/keys"},
			{"datastore/..."},
			{"datastore"},
			{"config"},
			{"internal/..."},
		},
		Pure: []string{
			"core/keys", "core/manifest", "core/merkle", "protocols/wire",
			"internal/bitfield", "internal/blake2x", "internal/compact",
		},
		Kits: []string{
			"datastore/datastoretest",
			"internal/evilpeer/...", "internal/interop/...", "internal/testnet/...", "internal/vectors",
			"internal/bench", "internal/nodebench", // commands that measure, over shaped links
		},
		Network: []string{
			"cmd/...", "node/...", "protocols", "protocols/discovery/...",
			"internal/bench", "internal/nodebench", "internal/netlab/...", "internal/evilpeer/...", "internal/interop/...",
		},
	}
}

// TopLevel returns the names that may lie in the module's folder beside those that begin with a dot.
func TopLevel() []string {
	return []string{
		"go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", "docs", "internal",
		"cmd", "node", "protocols", "core", "bee", "drive", "datastore", "config",
	}
}
