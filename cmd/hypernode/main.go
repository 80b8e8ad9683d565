// Command hypernode makes and reads signed append-only logs that the JavaScript Hypercore 11 can read, and the other way
// round.
//
// Results go to standard output, everything else to standard error. With --json a command prints one document, or one
// line for each item of a stream; errors are documents too. The exit codes are those of the topic "exit-codes" of the
// help. Start with "hypernode help core".
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(start()) }

// start runs the command line of this process. The first interrupt ends it cleanly, a second one at once.
func start() int {
	// A reader that goes away is an error of the write, so that the store is closed as it should be.
	signal.Ignore(syscall.SIGPIPE)
	silenceLibraries()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, environ: os.Environ}
	return a.run(ctx, os.Args[1:])
}
