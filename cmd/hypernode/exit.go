package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/datastore"
)

// The exit codes. Scripts depend on them: a number keeps its meaning.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartly      = 3
	exitNotFound    = 4
	exitNoPeers     = 5
	exitConflict    = 6
	exitRefused     = 7
	exitQuota       = 8
	exitNothing     = 9
	exitNoStore     = 10
	exitLocked      = 11
	exitSecret      = 12
	exitCorrupt     = 13
	exitNotRunning  = 14
	exitInterrupted = 130
)

// exitCode is an exit code with its meaning.
type exitCode struct {
	code    int
	meaning string
}

// exitCodes lists all codes, in ascending order.
func exitCodes() []exitCode {
	return []exitCode{
		{exitOK, "done"},
		{exitFailed, "failed, for a reason that has no code of its own"},
		{exitUsage, "the command line is wrong"},
		{exitPartly, "partly done: what was done is kept"},
		{exitNotFound, "the core, block or file is not there"},
		{exitNoPeers, "no peer was found, or none answered in time"},
		{exitConflict, "the core has two histories, or the store is an older copy"},
		{exitRefused, "not allowed: no key to sign with, no permission, a limit"},
		{exitQuota, "a quota is exceeded"},
		{exitNothing, "nothing to do: all is as it was asked for"},
		{exitNoStore, "there is no store"},
		{exitLocked, "another process has the store open"},
		{exitSecret, "the encryption key is missing or wrong"},
		{exitCorrupt, "stored data is corrupt"},
		{exitNotRunning, "no node is running"},
		{exitInterrupted, "interrupted"},
	}
}

func exitCodesTopic() *cobra.Command {
	var b strings.Builder
	b.WriteString("The exit codes of all commands:\n\n")
	for _, c := range exitCodes() {
		fmt.Fprintf(&b, "  %3d  %s\n", c.code, c.meaning)
	}
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: strings.TrimSpace(b.String())}
}

// failure is an error with its exit code and what to do about it. Of the code exitNothing it is no error but a note.
type failure struct {
	code int
	hint string // may be empty
	err  error
}

func fail(code int, hint, format string, values ...any) error {
	return &failure{code, hint, errorf(format, values...)}
}

func errorf(format string, values ...any) error { return fmt.Errorf(format, values...) }

// Error implements error.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.err }

const noSpaceHint = `make room on the disk; "hypernode core clear" frees space too`

// known says what to make of an error that a library returned.
type known struct {
	err  error
	code int
	hint string
}

// knownErrors lists them, the more telling ones first: an error may be several of them.
func knownErrors() []known {
	return []known{
		{context.Canceled, exitInterrupted, ""},
		{datastore.ErrLocked, exitLocked, `wait until it has ended, or stop it; "hypernode node run" serves any number of commands at a time`},
		{core.ErrConflict, exitConflict, "the writer signed two histories; the core is frozen and takes no more blocks"},
		{core.ErrRolledBack, exitConflict, "this store is an older copy; use the newer one, or fetch the blocks it lacks"},
		{datastore.ErrFormat, exitRefused, "open it with the version of hypernode that made it"},
		{corestore.ErrPrimaryKey, exitRefused, "put the file secrets/primary-key back that belongs to this store"},
		{datastore.ErrSecretExposed, exitRefused, "check who could read it, then take the rights from all but its owner (chmod 600)"},
		{core.ErrEncrypted, exitSecret, keyHint},
		{core.ErrCorrupt, exitCorrupt, `"hypernode core verify --all" tells what is damaged; get the rest out with "hypernode core get"`},
		{datastore.ErrCorrupt, exitCorrupt, `"hypernode core verify --all" tells what is damaged; get the rest out with "hypernode core get"`},
		{datastore.ErrNoSpace, exitFailed, noSpaceHint},
		{syscall.ENOSPC, exitFailed, "make room on the disk and run it again"},
		{syscall.EDQUOT, exitFailed, "make room within your quota and run it again"},
		{datastore.ErrStoreFailed, exitFailed, "the disk failed; check it before you try again"},
		{core.ErrNotWritable, exitRefused, "only the store in which a core was made can change it"},
		{core.ErrBlockSize, exitRefused, "cut it into smaller blocks"},
		{core.ErrNotFound, exitNotFound, `list the cores with "hypernode core info"`},
		{bee.ErrVersion, exitNotFound, "versions are the lengths that the core had after a change"},
		{core.ErrOutOfRange, exitNotFound, `"hypernode core info REF" tells how long it is`},
		{core.ErrNotAvailable, exitNotFound, `"hypernode core info REF" tells which blocks are here`},
		{corestore.ErrName, exitUsage, ""},
		{datastore.ErrReadOnly, exitRefused, ""},
		{fs.ErrPermission, exitRefused, "run it as the owner of the folder, or give yourself the right"},
		{syscall.EROFS, exitRefused, "the medium can only be read; name another folder with --path"},
		{fs.ErrNotExist, exitNotFound, ""},
	}
}

// judge returns the exit code of an error and what to do about it. The hint that was given first counts.
func judge(err error) (code int, hint string) {
	if err == nil {
		return exitOK, ""
	}
	var f *failure
	if errors.As(err, &f) {
		return f.code, f.hint
	}
	for _, k := range knownErrors() {
		if errors.Is(err, k.err) {
			return k.code, k.hint
		}
	}
	return exitFailed, ""
}
