package config

import (
	"iter"
	"reflect"
	"strings"
)

// field is one key of one section.
type field struct {
	section, key, doc string
	value             reflect.Value
	index             [2]int
}

// name is the field as it is written in errors and lists: "network.port".
func (f field) name() string { return f.section + "." + f.key }

// variable is the environment variable of the field.
func (f field) variable() string { return prefix + strings.ToUpper(f.section+"_"+f.key) }

// in returns the same field of another configuration.
func (f field) in(c *Config) reflect.Value {
	return reflect.ValueOf(c).Elem().Field(f.index[0]).Field(f.index[1])
}

// fields yields all keys of c in the order of their declaration, with values that can be set.
func fields(c *Config) iter.Seq[field] {
	return func(yield func(field) bool) {
		root := reflect.ValueOf(c).Elem()
		for i := range root.NumField() {
			section := root.Type().Field(i)
			if section.Type.Kind() != reflect.Struct {
				continue
			}
			for j := range section.Type.NumField() {
				t := section.Type.Field(j)
				f := field{
					section: section.Tag.Get("toml"), key: t.Tag.Get("toml"), doc: t.Tag.Get("comment"),
					value: root.Field(i).Field(j), index: [2]int{i, j},
				}
				if !yield(f) {
					return
				}
			}
		}
	}
}
