package mirror

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/hypernode/hypernode/datastore"
)

// Errors that callers branch on. They stand in Change.Err and among what a PartialError wraps, but for ErrPartial, ErrQuota and
// ErrOverlap, which a run returns.
var (
	// ErrPartial: some files could not be mirrored, all others were. A *PartialError lists them.
	ErrPartial = errors.New("mirror: partly done")
	// ErrQuota: the run would write more files or bytes than Options allow. What was written before stays.
	ErrQuota = errors.New("mirror: quota exceeded")
	// ErrOverlap: one of two folders lies in the other, or they are the same.
	ErrOverlap = errors.New("mirror: the trees overlap")
	// ErrName: a name that the target cannot take.
	ErrName = errors.New("mirror: name cannot be used")
	// ErrClash: another file stands where this one belongs, under a name that the system takes for the same.
	ErrClash = errors.New("mirror: name clashes with another")
	// ErrInTheWay: a file or link stands where a folder must be, or the reverse.
	ErrInTheWay = errors.New("mirror: something else is in the way")
	// ErrLink: a symbolic link that is not written, since links were not asked for or it leads out of the target.
	ErrLink = errors.New("mirror: link not written")
	// ErrSpecial: neither file, folder nor link: a socket, a device, a mount.
	ErrSpecial = errors.New("mirror: special file")
	// ErrChanging: a file changed each time it was read.
	ErrChanging = errors.New("mirror: file changes while it is read")
	// ErrSize: a file has more or fewer bytes than its entry says.
	ErrSize = errors.New("mirror: file has another size than it says")
	// ErrDepth: folders within folders, too many.
	ErrDepth = errors.New("mirror: too deep")
)

// A Problem is what went wrong with one file, or with a folder that could not be read.
type Problem struct {
	Path string
	Err  error
}

// A PartialError tells what was not mirrored. It is an ErrPartial, and wraps the errors of the problems.
type PartialError struct {
	// Problems are the first MaxProblems of them, More counts the rest.
	Problems []Problem
	More     int
}

// MaxProblems is the number of problems that a PartialError lists.
const MaxProblems = 1000

// Error implements error: it names up to three of the files.
func (e *PartialError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %d failed", ErrPartial, len(e.Problems)+e.More)
	for i, p := range e.Problems {
		if i == 3 {
			b.WriteString("; and more")
			break
		}
		fmt.Fprintf(&b, "; %q: %v", p.Path, p.Err)
	}
	return b.String()
}

// Unwrap makes a PartialError an ErrPartial and gives access to the errors of the problems.
func (e *PartialError) Unwrap() []error {
	errs := []error{ErrPartial}
	for _, p := range e.Problems {
		errs = append(errs, p.Err)
	}
	return errs
}

// add notes a problem, as long as there are few.
func (e *PartialError) add(path string, err error) {
	if len(e.Problems) < MaxProblems {
		e.Problems = append(e.Problems, Problem{path, err})
		return
	}
	e.More++
}

// fatalError is a failure of the target as a whole.
type fatalError struct{ err error }

func (e *fatalError) Error() string { return e.err.Error() }
func (e *fatalError) Unwrap() error { return e.err }

// fatal marks an error as one that ends the run.
func fatal(err error) error {
	if err == nil {
		return nil
	}
	return &fatalError{err}
}

// ends tells whether an error ends the run: it would meet all further files too.
func ends(err error) bool {
	var f *fatalError
	return errors.As(err, &f) || errors.Is(err, ErrQuota) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, datastore.ErrNoSpace)
}
