package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// LogParts are the parts of a node whose levels can be set one by one. A message of a part has its name as the attribute
// "part".
func LogParts() []string {
	return []string{"node", "store", "network", "discovery", "replication", "api", "libp2p"}
}

// Levels says from which level on messages are told.
type Levels struct {
	All   slog.Level
	Parts map[string]slog.Level // those that differ
}

// Of returns the level of a part.
func (l Levels) Of(part string) slog.Level {
	if level, ok := l.Parts[part]; ok {
		return level
	}
	return l.All
}

// Levels reads the levels of all parts. The libraries of libp2p tell a lot that concerns nobody: unless it is named, their
// part is silent.
func (l Log) Levels() (Levels, error) {
	out := Levels{All: slog.LevelInfo, Parts: map[string]slog.Level{"libp2p": slog.LevelError + 1}}
	for item := range strings.SplitSeq(l.Level, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		part, text, ok := strings.Cut(item, "=")
		if !ok {
			part, text = "", item
		}
		level, err := parseLevel(text)
		switch {
		case err != nil:
			return Levels{}, err
		case part == "":
			out.All = level
		case !slices.Contains(LogParts(), part):
			return Levels{}, fmt.Errorf("there is no part %q; did you mean %s?", part, nearest(part, LogParts()))
		default:
			out.Parts[part] = level
		}
	}
	return out, nil
}

func parseLevel(text string) (slog.Level, error) {
	if err := oneOf(text, "debug", "info", "warn", "error"); err != nil {
		return 0, err
	}
	var level slog.Level
	return level, level.UnmarshalText([]byte(text))
}

func (l Log) check() error {
	_, err := l.Levels()
	return err
}
