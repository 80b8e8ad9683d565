package mirror

// IgnoreFile is the name of the files whose patterns, in the syntax of gitignore, leave out what lies in their folder and below.
const IgnoreFile = ".hypernodeignore"

// Options of a run. The zero value adds and changes files, removes none, and writes no links into folders.
type Options struct {
	// Prune removes from the target what is not in the source.
	Prune bool
	// DryRun changes nothing: Stats and Changed tell what would be done. The target folder need not exist.
	DryRun bool
	// Links writes symbolic links into a folder: those that are relative and stay inside.
	Links bool
	// Mounts descends into the drives that are mounted in the source, as if their files were its own. Without it mounts are passed over.
	Mounts bool
	// Times keeps the time of the last change and the permissions of files from a folder in the drive, as the metadata
	// {"mtime":MILLISECONDS,"mode":DECIMAL}. It makes the next run fast, which then need not compare contents.
	Times bool

	// Filter, if it is not nil, says which paths are concerned, relative and with slashes. It is asked for each folder on the way to
	// a file before it is asked for the file: nothing in a folder that it refuses is concerned. It may be called from several
	// goroutines.
	Filter func(path string, folder bool) bool
	// Ignore are further patterns in the syntax of gitignore. They count after those of ignore files.
	Ignore []string
	// NoIgnoreFiles takes the ignore files for files like all others.
	NoIgnoreFiles bool

	// MaxFiles and MaxBytes end the run with ErrQuota before more files, or more bytes of contents, are written. 0 means no limit.
	MaxFiles, MaxBytes int64

	// Progress, if it is not nil, is called now and then, never twice at a time, and once at the end of the run. The trees are then
	// listed once more beforehand, for the totals.
	Progress func(Progress)
	// Changed, if it is not nil, is told each change after it is made, and all that was skipped or failed, never twice at a time.
	// In a drive what was made may wait for its commit.
	Changed func(Change)
	// Synced, if it is not nil, is called by Follow after each round, with what the round did and its error, nil or a *PartialError.
	Synced func(Stats, error)
}

// Progress tells how far a run is.
type Progress struct {
	// Files and Bytes are those of the source that are dealt with, copied or not, of all that are concerned.
	Files, TotalFiles int64
	Bytes, TotalBytes int64
	// Path is the file that was worked on last.
	Path string
}

// Op is what is done about a path.
type Op string

// The values of Op.
const (
	Add    Op = "add"
	Modify Op = "change"
	Remove Op = "remove"
	Skip   Op = "skip" // passed over as it should be: special files, links that were not asked for, mounts
	Fail   Op = "fail"
)

// Change is what is done about one path, or why nothing is.
type Change struct {
	Op   Op
	Path string
	// Bytes is the size of the file in the source, or in the target for what is removed; -1 if it is not known.
	Bytes int64
	// Err says why a file was skipped or failed.
	Err error
}

// Stats count what a run did, or in a dry run would do.
type Stats struct {
	// Files are the files and links of the source that are concerned: those Added, Changed, Unchanged, Skipped or Failed.
	// Removed counts files of the target, Failed also what could not be removed or listed.
	Files, Added, Changed, Removed, Unchanged, Skipped, Failed int64
	// BytesRead are read from the source, also to compare; BytesWritten are those of the contents written to the target.
	BytesRead, BytesWritten int64
}
