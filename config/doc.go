// Package config says how a node is set up: one struct, read from a TOML file and from the environment.
//
// Start with [Load], which reads all sources in their order, or write a [Config] down in a program: its zero value is the
// default of everything. [Settings] lists each setting with its value, where that came from, and what it means.
//
// A later source goes before an earlier one: default, file, environment (HYPERNODE_SECTION_KEY), flag. A key that does
// not exist is an error that names the nearest one that does, in the file as in the environment; no value is passed over
// in silence. [Config.Check] finds values that cannot be.
package config
