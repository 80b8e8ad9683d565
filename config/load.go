package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/pelletier/go-toml/v2"
)

// prefix begins the environment variables of all keys.
const prefix = "HYPERNODE_"

// Sources say where a configuration comes from.
type Sources struct {
	// Path is the folder that holds everything, see Config.Path.
	Path string
	// File is the TOML file. Empty means none; one that does not exist is none too, unless MustExist is set.
	File      string
	MustExist bool
	// Environ is the environment as os.Environ returns it.
	Environ []string
	// Flags are keys like "network.port" with their values, from the command line.
	Flags map[string]string
}

// Origin says where the value of each key came from, by its name like "network.port": "default", the file, the
// environment variable, "flag".
type Origin map[string]string

// Load reads all sources, fills in the defaults and checks what comes out. Errors wrap ErrInvalid when it is the
// configuration that is wrong.
func Load(s Sources) (Config, Origin, error) {
	l := loader{c: Config{Path: s.Path}, origin: Origin{}}
	for _, step := range []func(Sources) error{l.file, l.environment, l.flags} {
		if err := step(s); err != nil {
			return Config{}, nil, err
		}
	}
	for f := range fields(&l.c) {
		if l.origin[f.name()] == "" {
			l.origin[f.name()] = "default"
		}
	}
	c := l.c.Filled()
	return c, l.origin, c.check(l.origin)
}

// loader gathers a configuration from its sources.
type loader struct {
	c      Config
	origin Origin
}

func (l *loader) file(s Sources) error {
	if s.File == "" {
		return nil
	}
	data, err := os.ReadFile(s.File)
	if !s.MustExist && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	return l.decode(s.File, data)
}

// decode reads a file's text.
func (l *loader) decode(name string, data []byte) error {
	d := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := d.Decode(&l.c); err != nil {
		return explain(name, err)
	}
	var given map[string]map[string]any
	if err := toml.Unmarshal(data, &given); err != nil {
		return explain(name, err)
	}
	for f := range fields(&l.c) {
		if _, ok := given[f.section][f.key]; ok {
			l.origin[f.name()] = name
		}
	}
	return nil
}

// explain turns what the TOML decoder found into an error of this package.
func explain(file string, err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := unknown.Errors[0]
		row, _ := first.Position()
		key := strings.Join(first.Key(), ".")
		list := names()
		if !strings.Contains(key, ".") {
			list = sections()
		}
		return &KeyError{Source: fmt.Sprintf("%s line %d", file, row), Key: key, Nearest: nearest(key, list)}
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		row, _ := wrong.Position()
		key := strings.Join(wrong.Key(), ".")
		if key == "" {
			key = "text"
		}
		return &ValueError{Source: fmt.Sprintf("%s line %d", file, row), Key: key, Reason: errors.New(strings.TrimPrefix(wrong.Error(), "toml: "))}
	}
	return &ValueError{Source: file, Key: "text", Reason: err}
}

// environment reads the variables of keys; an empty one is not set, unless the key is a list. A variable that is meant for a
// key must be one.
func (l *loader) environment(s Sources) error {
	for _, pair := range slices.Sorted(slices.Values(s.Environ)) {
		name, text, _ := strings.Cut(pair, "=")
		f, ok := find(&l.c, func(f field) bool { return f.variable() == name })
		if !ok {
			if meant, is := misnamed(name); is && text != "" {
				return &KeyError{Source: "environment", Key: name, Nearest: meant}
			}
			continue
		}
		if text == "" && f.value.Kind() != reflect.Slice {
			continue // it is not set; an empty list is one
		}
		if err := set(f.value, text); err != nil {
			return &ValueError{Source: "environment", Key: name, Reason: err}
		}
		l.origin[f.name()] = name
	}
	return nil
}

// slips is how many characters may be wrong in a name for it to be taken for a misspelled one.
const slips = 3

// misnamed tells whether a variable that is none of a key was meant to be one, and of which: its name begins with that of a
// section, or is a key without its section, or is almost right. Other programs and tests have variables of this prefix too.
func misnamed(variable string) (meant string, is bool) {
	key, ok := strings.CutPrefix(variable, prefix)
	if !ok || slices.Contains(others(), key) {
		return "", false
	}
	meant = nearest(variable, variables())
	if distance(variable, meant) <= slips {
		return meant, true
	}
	var c Config
	for f := range fields(&c) {
		if strings.ToUpper(f.key) == key {
			return f.variable(), true
		}
		is = is || strings.HasPrefix(key, strings.ToUpper(f.section)+"_")
	}
	return meant, is
}

// others are the variables of this prefix, without it, that are no keys.
func others() []string { return []string{"PATH", "ENCRYPTION_KEY"} }

func (l *loader) flags(s Sources) error {
	for name, text := range s.Flags {
		f, ok := find(&l.c, func(f field) bool { return f.name() == name })
		if !ok {
			return &KeyError{Source: "command line", Key: name, Nearest: nearest(name, names())}
		}
		if err := set(f.value, text); err != nil {
			return &ValueError{Source: "command line", Key: name, Reason: err}
		}
		l.origin[name] = "flag"
	}
	return nil
}

// find returns the field of c that is looked for.
func find(c *Config, is func(field) bool) (field, bool) {
	for f := range fields(c) {
		if is(f) {
			return f, true
		}
	}
	return field{}, false
}

// set reads a value from its text: lists have commas between their items.
func set(v reflect.Value, text string) error {
	if b, ok := v.Addr().Interface().(*Bytes); ok {
		return b.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		v.SetInt(int64(n))
	case reflect.Slice:
		list := []string{}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		v.Set(reflect.ValueOf(list))
	}
	return nil
}

func names() (list []string) {
	var c Config
	for f := range fields(&c) {
		list = append(list, f.name())
	}
	return list
}

func sections() (list []string) {
	var c Config
	for f := range fields(&c) {
		if !slices.Contains(list, f.section) {
			list = append(list, f.section)
		}
	}
	return list
}

func variables() (list []string) {
	var c Config
	for f := range fields(&c) {
		list = append(list, f.variable())
	}
	return list
}
