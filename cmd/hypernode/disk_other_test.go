//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// disk is for scripts on Linux.
func disk(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("no small disk on this system") }
