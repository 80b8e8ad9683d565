//go:build !unix

package mirror

const openFlags = 0
