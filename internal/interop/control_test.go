package interop

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
)

// TestControl runs the scenarios between two sides of one make: what fails there is not a matter of interoperation.
func TestControl(t *testing.T) {
	which := os.Getenv("HYPERNODE_INTEROP_CONTROL")
	if which == "" {
		t.Skip("HYPERNODE_INTEROP_CONTROL is not Go or JS")
	}
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), cellDeadline)
			defer cancel()
			c := &cell{t: t, ctx: ctx, readerDials: true, rand: rand.New(rand.NewPCG(1, 0))}
			if which == "Go" {
				c.reader, c.writer = NewNode(t), NewNode(t)
			} else {
				c.reader, c.writer = Start(t).Store(t), Start(t).Store(t)
			}
			defer c.explain()
			s.run(c)
		})
	}
}
