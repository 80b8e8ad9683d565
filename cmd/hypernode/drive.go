package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/drive"
)

func (a *app) driveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "drive",
		Short: "File systems: create, import, export, ls, cat, put, rm, diff, log, mount, mounts",
		Long: `A drive is a versioned file system in two cores: one of entries, one of contents.
Each change makes a version, and all versions stay readable.

DRIVE is a local name, or an address: hyper://KEY, or KEY alone. DRIVE@VERSION is
the drive as it was. A path may follow the key, hyper://KEY/path, or stand as an
argument of its own. With --peer what the store lacks is fetched while reading.`,
		Example: `  hypernode drive create photos
  hypernode drive put photos /cat.jpg cat.jpg
  hypernode drive ls photos
  hypernode drive cat hyper://KEY@3/cat.jpg > cat.jpg`,
	}
	group(c)
	c.AddCommand(a.driveCreateCommand(), a.driveListCommand(), a.driveCatCommand(), a.drivePutCommand(), a.driveRemoveCommand(),
		a.driveLogCommand(), a.driveDiffCommand(), a.driveImportCommand(), a.driveExportCommand(), a.driveMountCommand(),
		a.driveUnmountCommand(), a.driveMountsCommand())
	return c
}

// place is a path in a version of a drive, as the user writes it.
type place struct {
	versioned
	path string // "" for none
}

// parsePlace reads the arguments DRIVE[@VERSION] [PATH], or hyper://KEY[@VERSION]/PATH alone. In an address %20 and the like stand for
// what they do in all addresses.
func parsePlace(list []string) (p place, err error) {
	text := list[0]
	if rest, ok := strings.CutPrefix(text, scheme); ok {
		if key, path, ok := strings.Cut(rest, "/"); ok {
			if text, p.path = scheme+key, path; strings.Contains(path, "%") {
				if p.path, err = url.PathUnescape(path); err != nil {
					return p, fail(exitUsage, "in an address %25 stands for %, %3F for ?", "%s is no address: %w", plain(list[0]), err)
				}
			}
		}
	}
	if p.versioned, err = parseVersioned(text); err != nil {
		return p, err
	}
	if len(list) > 1 {
		if p.path != "" {
			return p, fail(exitUsage, "", "the path is given twice: in %s and as %s", plain(list[0]), plain(list[1]))
		}
		p.path = list[1]
	}
	return p, nil
}

// String is the place as it is shown.
func (p place) String() string {
	s := p.reference.String()
	if p.version > 0 {
		s += "@" + strconv.FormatUint(p.version, 10)
	}
	if p.path != "" {
		s += "/" + plain(strings.TrimPrefix(p.path, "/"))
	}
	return s
}

func (r reference) driveRef(e core.Encryption) drive.Ref {
	ref := drive.Key(r.key)
	if r.name != "" {
		ref = drive.Name(r.name)
	}
	ref.Encryption, ref.MustExist = e.Key, true
	return ref
}

// driveFlags are those of all commands that open a drive.
type driveFlags struct {
	peerFlags
	keyFile string
}

func (f *driveFlags) addReading(c *cobra.Command) {
	f.peerFlags.add(c.Flags())
	keyFlag(c.Flags(), &f.keyFile)
}

// withDrive opens a drive to be read: of the store, and with peers also what it lacks.
func (a *app) withDrive(ctx context.Context, p place, f *driveFlags, fn func(ctx context.Context, d *drive.Drive) error) error {
	e, err := a.encryption(f.keyFile)
	if err != nil {
		return err
	}
	ref := p.driveRef(e)
	ref.ReadOnly = true
	read := func(ctx context.Context, d *drive.Drive) error {
		if err := isDrive(ctx, d, p, e); err != nil {
			return err
		}
		if p.version > 0 {
			d = d.At(p.version)
		}
		return placed(p, fn(ctx, d))
	}
	hosts, how, err := f.hosts()
	if err != nil {
		return err
	}
	return a.withExchange(ctx, how, len(hosts) > 0, func(ctx context.Context, x *exchange) error {
		ref.MustExist = len(hosts) == 0 || p.name != ""
		return useDrive(ctx, x.store, p, ref, func(d *drive.Drive) error {
			if len(hosts) == 0 {
				return x.hosted(ctx, f.timeout, p.reference, func(ctx context.Context) error { return read(ctx, d) })
			}
			x.dial(ctx, hosts)
			return x.within(ctx, f.timeout, p.reference, func(ctx context.Context) error {
				if err := x.joined(ctx, d.Core()); err != nil {
					return err
				}
				if err := d.Refresh(ctx); err != nil {
					return err
				}
				return read(ctx, d)
			})
		})
	})
}

// isDrive says why what was opened can be no drive, or not with this encryption key.
func isDrive(ctx context.Context, d *drive.Drive, p place, e core.Encryption) error {
	if d.Core().Head().Length == 0 {
		return nil
	}
	is, err := bee.IsBee(ctx, d.Core())
	switch {
	case err != nil:
		return fmt.Errorf("opening %s: %w", p.reference, err)
	case is:
		return nil
	case e.Key == [32]byte{}:
		return fail(exitRefused, "if it is encrypted, "+keyHint, "%s is no drive, or is encrypted", p.reference)
	}
	return fail(exitSecret, keyHint, "%s is no drive, or has another encryption key", p.reference)
}

// useDrive opens a drive, calls fn, and closes it.
func useDrive(ctx context.Context, s *corestore.Store, p place, ref drive.Ref, fn func(d *drive.Drive) error) (err error) {
	d, err := drive.OpenRef(ctx, s, ref)
	if errors.Is(err, core.ErrNotFound) {
		return fail(exitNotFound, `make a drive with "hypernode drive create NAME"`, "opening %s: the store has no such drive", p.reference)
	}
	if err != nil {
		return fmt.Errorf("opening %s: %w", p.reference, err)
	}
	defer func() { err = closed(err, "closing the drive", d.Close()) }()
	return fn(d)
}

// withDriveWriter opens a drive to be changed.
func (a *app) withDriveWriter(ctx context.Context, p place, keyFile string, how access, fn func(d *drive.Drive) error) error {
	if p.version > 0 {
		return fail(exitUsage, "", "%s: only the newest version can be changed", p)
	}
	e, err := a.encryption(keyFile)
	if err != nil {
		return err
	}
	return a.withStore(ctx, how, func(s *corestore.Store) error {
		ref := p.driveRef(e)
		ref.MustExist = how != making || p.name == ""
		return useDrive(ctx, s, p, ref, func(d *drive.Drive) error {
			if err := isDrive(ctx, d, p, e); err != nil {
				return err
			}
			if err := placed(p, fn(d)); err != nil {
				return err
			}
			a.detail("%s is at version %d", address(d.Key()), d.Version())
			return nil
		})
	})
}

// placed puts what was tried before an error of a drive, and tells what is known of it.
func placed(p place, err error) error {
	var f *failure
	switch {
	case err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, drive.ErrNotFound):
		return fail(exitNotFound, `list the files with "hypernode drive ls"`, "%s: there is no such file", p)
	case errors.Is(err, drive.ErrEmpty):
		return fail(exitNotFound, "", "%s: nothing is known of the drive yet", p)
	case errors.Is(err, drive.ErrNoDrive):
		return fail(exitRefused, `read it with "hypernode core get"`, "%s is no drive", p.reference)
	case errors.Is(err, drive.ErrVersion), errors.Is(err, bee.ErrVersion):
		return fail(exitNotFound, `"hypernode drive log" lists the changes; of those made together only the last version is kept`,
			"%s: there is no such version", p)
	case errors.Is(err, drive.ErrPath):
		return fail(exitUsage, "", "%s: %w", p, err)
	case errors.Is(err, drive.ErrIsMount):
		return fail(exitRefused, `list it with "hypernode drive ls"`, "%s is a mount", p)
	}
	return mountError(p, err)
}

// missingHint is what to do when something is not in the store.
const missingHint = "name a peer that has it with --peer"

// mountError tells what is known of an error of mounts, and of what is not here, or gives any other as it is.
func mountError(p place, err error) error {
	switch {
	case errors.Is(err, drive.ErrMountUnavailable), errors.Is(err, drive.ErrVersionUnavailable):
		return fail(exitNoPeers, "name a peer that has the mounted drive with --peer, or fetch it first", "%s: %w", p, err)
	case errors.Is(err, core.ErrNotAvailable):
		return fail(exitNotFound, missingHint, "%s: %w", p, err)
	case errors.Is(err, drive.ErrLocked):
		return fail(exitSecret, "", "%s: %w", p, err)
	case errors.Is(err, drive.ErrPinMismatch):
		return fail(exitConflict, "", "%s: %w", p, err)
	case errors.Is(err, drive.ErrReadOnlyMount), errors.Is(err, drive.ErrInvalidMount), errors.Is(err, drive.ErrTooManyMounts),
		errors.Is(err, drive.ErrLinks):
		return fail(exitRefused, "", "%s: %w", p, err)
	}
	return fmt.Errorf("%s: %w", p, err)
}

// changed prints the version that a change at a path led to: that of the drive which is mounted there, if one is.
func (a *app) changed(ctx context.Context, d *drive.Drive, at string) error {
	if clean, err := drive.Clean(at); err == nil {
		if inner, _, err := d.Mounted(ctx, path.Dir(clean)); err == nil {
			d = inner
		}
	}
	a.result = driveState{address(d.Key()), d.Version()}
	return a.print("%d", d.Version())
}

// hosts returns the peers that the flags name, and what is done with the store: what comes from peers is kept.
func (f *peerFlags) hosts() ([]string, access, error) {
	if len(f.peers) == 0 {
		return nil, reading, nil
	}
	hosts, rest, err := tcpFirst(f.peers, false)
	if err == nil && len(rest) > 0 {
		err = fail(exitUsage, "a peer's address is tcp://HOST:PORT", "--peer %s is not the address of a peer", plain(rest[0]))
	}
	return hosts, making, err
}
