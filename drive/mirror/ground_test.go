//go:build unix && !linux

package mirror

import (
	"os"
	"testing"
)

// groundIn makes a folder for the trees of a benchmark.
func groundIn(b *testing.B, outer string) string {
	dir, err := os.MkdirTemp(outer, "ground-")
	must(b, err)
	return dir
}
