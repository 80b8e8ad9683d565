package wire

// Limits that the protocol sets: a peer of another make relies on them.
const (
	// MaxWant is the most blocks that one want covers; a longer one gets no answer.
	MaxWant = 1 << 21

	// MinWant is the fewest blocks that one want covers.
	MinWant = 1 << 5

	// MaxWants is how many wants of one peer are remembered for one core.
	MaxWants = 512

	// MaxInvalid is how many requests that make no sense a peer of another make answers; it ends the stream at the last.
	MaxInvalid = 64

	// MaxUnavailable is after how many answers "not available" a peer of another make asks us no more.
	MaxUnavailable = 32
)

// Limits of our own on what is accepted. Honest peers stay far below them.
const (
	// MaxBitfieldBits is the most bits of a bitfield message, as a bitfield answers one want.
	MaxBitfieldBits = MaxWant

	// MaxExtensionName is the most bytes of the name of an extension.
	MaxExtensionName = 256

	// MaxHaveRuns is how many runs of blocks a Have keeps, beside those on its pages: 16 bytes each.
	MaxHaveRuns = 4096

	// MaxHavePages is how many pages with many runs a Have keeps: 4 KiB for 32,768 blocks each.
	MaxHavePages = 1024

	// maxPageRuns is how many runs may end on a page before it becomes a bitmap.
	maxPageRuns = 64
)
