package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Parse checks the text of a configuration file, which errors call by name, as Load does.
func Parse(name string, text []byte) error {
	l := loader{origin: Origin{}}
	if err := l.decode(name, text); err != nil {
		return err
	}
	return l.c.Filled().check(l.origin)
}

// Set returns the text of a configuration file in which a key like "network.port" has another value, written as in the environment:
// lists have commas between their items. All else stays as it is. The result is checked as by Parse.
func Set(name string, text []byte, key, value string) ([]byte, error) {
	var c Config
	f, ok := find(&c, func(f field) bool { return f.name() == key })
	if !ok {
		return nil, &KeyError{Source: "command line", Key: key, Nearest: nearest(key, names())}
	}
	if err := set(f.value, value); err != nil {
		return nil, &ValueError{Source: "command line", Key: key, Reason: err}
	}
	line, err := toml.Marshal(map[string]any{f.key: f.value.Interface()})
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", key, err)
	}
	out := put(text, f.section, f.key, strings.TrimSuffix(string(line), "\n"))
	if err := Parse(name, out); err != nil {
		return nil, err
	}
	return out, verify(name, out, f)
}

// Unset is Set to the default: the key is taken out.
func Unset(name string, text []byte, key string) ([]byte, error) {
	var c Config
	f, ok := find(&c, func(f field) bool { return f.name() == key })
	if !ok {
		return nil, &KeyError{Source: "command line", Key: key, Nearest: nearest(key, names())}
	}
	lines := strings.Split(string(text), "\n")
	begin, end := section(lines, f.section)
	from, to := assigned(lines, begin, end, f.key, "")
	if from >= 0 {
		lines = slices.Delete(lines, from, to)
	}
	out := []byte(strings.Join(lines, "\n"))
	if err := Parse(name, out); err != nil {
		return nil, err
	}
	return out, verify(name, out, f)
}

// verify makes sure that the text says of a key what it should, however it was written before.
func verify(name string, text []byte, want field) error {
	l := loader{origin: Origin{}}
	if err := l.decode(name, text); err != nil {
		return err
	}
	if got := want.in(&l.c); !reflect.DeepEqual(got.Interface(), want.value.Interface()) {
		return fmt.Errorf("%s: %s is written in a form that is left alone; change it by hand", name, want.name())
	}
	return nil
}

// put puts a line into a section: in the place of the key's assignment, else of one that is commented out, else at the beginning.
func put(text []byte, sectionName, key, line string) []byte {
	lines := strings.Split(string(text), "\n")
	begin, end := section(lines, sectionName)
	if begin < 0 {
		return fmt.Appendf([]byte(strings.TrimRight(string(text), "\n")), "\n\n[%s]\n%s\n", sectionName, line)
	}
	for _, comment := range []string{"", `#\s*`} {
		if from, to := assigned(lines, begin, end, key, comment); from >= 0 {
			return []byte(strings.Join(slices.Replace(lines, from, to, line), "\n"))
		}
	}
	return []byte(strings.Join(slices.Insert(lines, begin, line), "\n"))
}

// section returns where the lines of a section begin and end, -1 where there is none.
func section(lines []string, name string) (begin, end int) {
	head := regexp.MustCompile(`^\s*\[\s*` + regexp.QuoteMeta(name) + `\s*\]\s*(#.*)?$`)
	begin = slices.IndexFunc(lines, head.MatchString) + 1
	if begin == 0 {
		return -1, -1
	}
	for end = begin; end < len(lines) && !regexp.MustCompile(`^\s*\[[^\]]*\]\s*(#.*)?$`).MatchString(lines[end]); end++ {
	}
	return begin, end
}

// assigned returns the lines that assign a key, behind what comments them out; -1 where there are none. A list may go over lines.
func assigned(lines []string, begin, end int, key, comment string) (from, to int) {
	begins := regexp.MustCompile(`^\s*` + comment + regexp.QuoteMeta(key) + `\s*=`)
	for i := max(begin, 0); i < end; i++ {
		if !begins.MatchString(lines[i]) {
			continue
		}
		to = i + 1
		if _, value, _ := strings.Cut(lines[i], "="); comment == "" && strings.HasPrefix(strings.TrimSpace(value), "[") {
			for to < end && !strings.Contains(lines[to-1], "]") {
				to++
			}
		}
		return i, to
	}
	return -1, -1
}
