package main

import (
	"context"
	"io"
	"log"
	"log/slog"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/gologshim"

	"github.com/hypernode/hypernode/config"
)

// silenceLibraries keeps libraries from writing to standard error on their own: what matters comes to us as errors.
func silenceLibraries() {
	log.SetOutput(io.Discard)
	golog.SetupLogging(golog.Config{Level: golog.LevelFatal})
	gologshim.SetDefaultHandler(slog.DiscardHandler)
}

// nodeLogger writes what a node of this process has to tell. One that serves tells what is configured; one that does the work of a
// command tells only what a flag asks for.
func (a *app) nodeLogger(c config.Config, origin config.Origin) *slog.Logger {
	asked := a.verbose || origin["log.level"] == "flag" || origin["log.format"] == "flag"
	levels, err := c.Log.Levels()
	if err != nil || !asked && a.registry == nil {
		return slog.New(slog.DiscardHandler)
	}
	switch {
	case a.verbose && a.registry != nil:
		levels.All = min(levels.All, slog.LevelDebug)
	case a.quiet:
		levels = config.Levels{All: max(levels.All, slog.LevelError)}
	}
	h := slog.Handler(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if c.Log.Format == "json" {
		h = slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelDebug})
	}
	out := slog.New(&levelled{h, levels, levels.Of("node")})
	if levels.Of("libp2p") <= slog.LevelError {
		followLibraries(out.With("part", "libp2p").Handler(), levels.Of("libp2p"), c.Log.Format)
	}
	return out
}

// followLibraries has the libraries of libp2p write too. Those of another logging library write by themselves.
func followLibraries(h slog.Handler, level slog.Level, format string) {
	gologshim.SetDefaultHandler(h)
	o := golog.Config{Stderr: true, Format: golog.PlaintextOutput, Level: golog.LevelError}
	if format == "json" {
		o.Format = golog.JSONOutput
	}
	for l, same := range map[slog.Level]golog.LogLevel{slog.LevelDebug: golog.LevelDebug, slog.LevelInfo: golog.LevelInfo, slog.LevelWarn: golog.LevelWarn} {
		if level == l {
			o.Level = same
		}
	}
	golog.SetupLogging(o)
}

// levelled is a handler that knows from which level on the part of the node that tells something is listened to.
type levelled struct {
	slog.Handler
	levels config.Levels
	level  slog.Level
}

// Enabled implements slog.Handler.
func (h *levelled) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// WithAttrs implements slog.Handler.
func (h *levelled) WithAttrs(list []slog.Attr) slog.Handler {
	level := h.level
	for _, a := range list {
		if a.Key == "part" {
			level = h.levels.Of(a.Value.String())
		}
	}
	return &levelled{h.Handler.WithAttrs(list), h.levels, level}
}

// WithGroup implements slog.Handler.
func (h *levelled) WithGroup(name string) slog.Handler {
	return &levelled{h.Handler.WithGroup(name), h.levels, h.level}
}
