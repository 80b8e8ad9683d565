package main

import (
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// columns prints rows with their fields below each other, two spaces between.
func (a *app) columns(rows [][]string) error {
	var widths []int
	for _, r := range rows {
		for i, text := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, text := range r {
			if i == len(r)-1 {
				b.WriteString(text)
				break
			}
			fmt.Fprintf(&b, "%-*s  ", widths[i], text)
		}
		if err := a.print("%s", strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// listing prints rows below a heading when a person reads them, else with tabs between the fields, without the heading. With --json each
// row is a line of its document.
func (a *app) listing(heading []string, rows [][]string, docs []any) error {
	if f, ok := a.stdout.(*os.File); !a.json && ok && term.IsTerminal(int(f.Fd())) {
		if len(rows) == 0 {
			a.say("none")
			return nil
		}
		return a.columns(append([][]string{heading}, rows...))
	}
	return a.lines(func(line func(text string, doc any) error) error {
		for i, r := range rows {
			if err := line(strings.Join(r, "\t"), docs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
