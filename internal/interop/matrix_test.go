package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(goPeerEnv) != "" {
		os.Exit(goPeer(os.Stdin, os.Stdout))
	}
	goleak.VerifyTestMain(m)
}

// column is a way to run each scenario.
type column struct {
	goReads, readerDials bool
}

func columns() []column { return []column{{true, true}, {true, false}, {false, true}, {false, false}} }

func (c column) String() string {
	name := map[bool]string{true: "Go", false: "JS"}
	return name[c.goReads] + " reads, " + name[c.goReads == c.readerDials] + " dials"
}

// TestMatrix runs every scenario with each make as the reader, each as the one that dials, over both framings.
func TestMatrix(t *testing.T) {
	installed(t)
	results := &table{cells: map[string]string{}}
	t.Run("cells", func(t *testing.T) {
		for _, f := range []Framing{SecretStream, Framed} {
			t.Run(f.String(), func(t *testing.T) {
				t.Parallel()
				matrix(t, f, results)
			})
		}
	})
	t.Log(results)
	if results.skipped > 0 || len(results.cells) != allCells() {
		t.Errorf("%d cells ran, %d were skipped", len(results.cells), results.skipped)
	}
}

func matrix(t *testing.T, f Framing, results *table) {
	peer := Start(t)
	for _, s := range scenarios() {
		for _, col := range columns() {
			t.Run(s.name+"/"+col.String(), func(t *testing.T) {
				defer results.begin(t, f, s, col)()
				ctx, cancel := context.WithTimeout(t.Context(), cellDeadline)
				defer cancel()
				seed := rand.Uint64()
				t.Logf("seed %d", seed)
				c := &cell{t: t, ctx: ctx, framing: f, readerDials: col.readerDials, rand: rand.New(rand.NewPCG(seed, 0))}
				c.reader, c.writer = NewNode(t), peer.Store(t)
				if !col.goReads {
					c.reader, c.writer = c.writer, c.reader
				}
				defer c.explain()
				s.run(c)
			})
		}
	}
}

// allCells is how many cells there are, of both framings.
func allCells() int { return 2 * len(columns()) * len(scenarios()) }

// table gathers how the cells ended.
type table struct {
	mu      sync.Mutex // guards what follows
	cells   map[string]string
	skipped int
}

func cellName(f Framing, s scenario, col column) string { return fmt.Sprint(f, "|", s.name, "|", col) }

// begin starts the clock of a cell; what it returns is called at its end.
func (r *table) begin(t *testing.T, f Framing, s scenario, col column) func() {
	start := time.Now()
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		result := fmt.Sprintf("ok %d ms", time.Since(start).Milliseconds())
		if t.Skipped() {
			r.skipped++
			result = "SKIPPED"
		}
		if t.Failed() {
			result = "FAILED"
		}
		r.cells[cellName(f, s, col)] = result
	}
}

// String prints the table.
func (r *table) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 1, 2, ' ', 0)
	for _, f := range []Framing{SecretStream, Framed} {
		fmt.Fprint(w, "\n", f)
		for _, col := range columns() {
			fmt.Fprint(w, "\t", col)
		}
		fmt.Fprintln(w)
		for _, s := range scenarios() {
			fmt.Fprint(w, s.name)
			for _, col := range columns() {
				fmt.Fprint(w, "\t", r.cells[cellName(f, s, col)])
			}
			fmt.Fprintln(w)
		}
	}
	w.Flush()
	fmt.Fprintf(&b, "\n%d cells of %d, %d of them skipped.\n", len(r.cells), allCells(), r.skipped)
	fmt.Fprintln(&b, "\nOf 20 blocks, each asked for alone; what does not come ends as unavailable:")
	for _, x := range clearings() {
		fmt.Fprintf(&b, "cleared %v: a Go source gives %v, a JS source %v\n", x.cleared, x.fromGo, x.fromJS)
	}
	return b.String()
}
