// Package arch holds the import table of the module: which package stands on which floor, who is pure, who may link
// libp2p. [Check] is a pure function over a list of packages; the package's test runs it on what the go command lists.
//
// A package imports only what stands below it. A new package needs a floor in [House] before the tests pass, so that
// where it stands is decided and not found out.
package arch
