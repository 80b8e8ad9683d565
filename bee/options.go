package bee

// Options of a bee. The zero value holds the defaults.
type Options struct {
	// Metadata goes into the header when this bee writes it; nil leaves the field out. A bee that has its header keeps it.
	Metadata *Metadata
	// SkipSame has a put of the value that the key has already write nothing.
	SkipSame bool
	// ReadOnly refuses all changes.
	ReadOnly bool
	// Cache is how many bytes of blocks are kept in memory, give or take, for the bee and all its views; 0 means
	// DefaultCache. It is filled as blocks are read and written.
	Cache int
	// NoHints neither asks peers for what a read will need, nor tells them what theirs will.
	NoHints bool
}
