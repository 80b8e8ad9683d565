package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"
)

// errorReport is an error in JSON.
type errorReport struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// finish reports how a command ended and returns its exit code.
func (a *app) finish(ctx context.Context, err error) int {
	if errors.Is(err, syscall.EPIPE) {
		return exitFailed // nobody reads any more
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = &failure{code: exitInterrupted, err: errors.New("interrupted")}
	}
	code, hint := judge(err)
	if a.json {
		if werr := a.printDocument(code, hint, err); werr != nil {
			return exitFailed
		}
		return code
	}
	switch {
	case code == exitOK:
	case code == exitNothing:
		a.say("%s", text(err))
	default:
		a.complain(err, hint)
	}
	return code
}

// complain writes an error: what was tried and why it failed, then what to do.
func (a *app) complain(err error, hint string) {
	a.writeLine("error: " + oneLine(text(err)))
	if hint != "" {
		a.writeLine("hint: " + oneLine(hint))
	}
}

// printDocument prints the result and the error as one document. A command that printed a stream leaves no result.
func (a *app) printDocument(code int, hint string, err error) error {
	problem := struct {
		Error errorReport `json:"error"`
	}{errorReport{code, strings.ToValidUTF8(text(err), "\uFFFD"), hint}}
	switch {
	case code == exitOK && a.result == nil:
		return nil
	case a.result == nil:
		return a.encode(problem)
	case code == exitOK || code == exitNothing: // which the result tells too
		return a.encode(a.result)
	}
	doc, derr := json.Marshal(a.result)
	tail, terr := json.Marshal(problem)
	if err := errors.Join(derr, terr); err != nil {
		return err
	}
	return a.encode(json.RawMessage(slices.Concat(doc[:len(doc)-1], []byte(","), tail[1:])))
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return spoken(err.Error())
}

// spoken is what an error says without the names of the packages that it comes from, which mean nothing to a user.
func spoken(s string) string {
	for _, name := range []string{"api", "bee", "config", "core", "corestore", "datastore", "drive", "merkle", "mirror", "node", "pebble", "swarm"} {
		s = strings.TrimPrefix(s, name+": ")
		s = strings.ReplaceAll(s, ": "+name+": ", ": ")
	}
	return s
}

// encode writes one line of JSON.
func (a *app) encode(v any) error { return encodeTo(a.stdout, v) }

func encodeTo(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// tell writes one line of JSON to standard error, where nobody is left to be told if it fails.
func (a *app) tell(v any) { _ = encodeTo(a.stderr, v) }

// message is what say tells, with --json.
type message struct {
	Message string `json:"message"`
}

// print writes a line of the result. With --json it writes nothing: the document has it.
func (a *app) print(format string, values ...any) error {
	if a.json {
		return nil
	}
	if _, err := fmt.Fprintf(a.stdout, format+"\n", values...); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// say tells what was done.
func (a *app) say(format string, values ...any) {
	text := fmt.Sprintf(format, values...)
	switch {
	case a.quiet:
	case a.json:
		a.tell(message{strings.ToValidUTF8(text, "\uFFFD")})
	default:
		a.writeLine(oneLine(text))
	}
}

// writeLine writes a line of talk, in the place of a bar if there is one, which is drawn below it again.
func (a *app) writeLine(text string) {
	a.talk.Lock()
	defer a.talk.Unlock()
	erase := ""
	if a.drawn {
		erase, a.drawn = eraseLine, false
	}
	fmt.Fprintf(a.stderr, "%shypernode: %s\n", erase, text)
}

// detail tells what is being done, for those who want to know.
func (a *app) detail(format string, values ...any) {
	if a.verbose {
		a.say(format, values...)
	}
}

// oneLine makes a text of any origin fit for a terminal: one line, in which every control character is spelled out.
func oneLine(s string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ") {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}

// plain is a name as it may be shown: itself, or quoted when a terminal or a reader could take it for something else.
func plain(name string) string {
	if quoted := strconv.Quote(name); name == "" || quoted != `"`+name+`"` || strings.ContainsRune(name, ' ') {
		return quoted
	}
	return name
}

// count is a number with its noun.
func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatUint(n, 10) + " " + noun + "s"
}

// oneField is bytes of any origin as a field of a line: what is not printable, tabs and line feeds too, is spelled out.
func oneField(b []byte) string {
	quoted := strconv.Quote(string(b))
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
