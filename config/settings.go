package config

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Setting is one key of a configuration.
type Setting struct {
	Name     string `json:"name"`     // "network.port"
	Value    any    `json:"value"`    // a string, a number or a list of strings
	Origin   string `json:"origin"`   // where the value came from
	Variable string `json:"variable"` // the environment variable that sets it
	Doc      string `json:"doc"`      // what it means
}

// Settings lists all keys of c in their order, with what Load told of their origin, which may be nil.
func Settings(c Config, origin Origin) []Setting {
	var list []Setting
	for f := range fields(&c) {
		list = append(list, Setting{
			Name: f.name(), Value: f.value.Interface(), Origin: origin[f.name()], Variable: f.variable(), Doc: f.doc,
		})
	}
	return list
}

// WriteTo writes c as a TOML file that Load reads back, each key explained.
func (c Config) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	if err := e.Encode(c); err != nil {
		return 0, fmt.Errorf("writing the configuration: %w", err)
	}
	n, err := w.Write(b.Bytes())
	return int64(n), err
}

// Sample returns the file that a user begins with: every key with its default, explained and commented out.
func Sample() string {
	var b, out strings.Builder
	if _, err := Default().WriteTo(&b); err != nil {
		return "" // the defaults can be encoded: a test holds that
	}
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "[") || strings.TrimSpace(line) == "" {
			out.WriteString(line)
			continue
		}
		out.WriteString("# " + line)
	}
	return out.String()
}
