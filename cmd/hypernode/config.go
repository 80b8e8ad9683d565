package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/node/api"
)

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "The configuration: show, set, unset, edit, validate",
		Long: `What is not configured has a default. A flag goes before an environment variable
HYPERNODE_SECTION_KEY, that before the file, and that before the default. A node
that runs takes changes when it is started again.`,
		Example: `  hypernode config show --origin
  hypernode config set discovery.profile lan
  HYPERNODE_LIMITS_UPLOAD_RATE=2MiB hypernode config show limits`,
	}
	group(c)
	c.AddCommand(a.configShowCommand(), a.configSetCommand(), a.configUnsetCommand(), a.configEditCommand(), a.configValidateCommand())
	return c
}

func (a *app) configShowCommand() *cobra.Command {
	var f nodeFlags
	var origin, doc bool
	c := &cobra.Command{
		Use:   "show [SECTION | SECTION.KEY]...",
		Short: "Print the values that count, and where they come from",
		Long:  `Print each key with its value, as "config set" takes it.`,
		Example: `  hypernode config show --origin
  hypernode config show network.port --explain`,
		RunE: func(_ *cobra.Command, list []string) error { return a.showConfig(&f, list, origin, doc) },
	}
	f.add(c.Flags())
	c.Flags().BoolVar(&origin, "origin", false, "also where each value comes from")
	c.Flags().BoolVar(&doc, "explain", false, "also what each key means")
	return c
}

func (a *app) showConfig(f *nodeFlags, list []string, origin, doc bool) error {
	c, from, err := a.configuration(f, false)
	if err != nil {
		return err
	}
	rows := [][]string{}
	shown := []config.Setting{}
	for _, want := range list {
		if !anySetting(c, want) {
			return fail(exitUsage, `list the keys with "hypernode config show"`, "there is no section and no key %s", plain(want))
		}
	}
	for _, s := range config.Settings(c, from) {
		if !chosen(s, list) {
			continue
		}
		shown = append(shown, s)
		row := []string{s.Name, "= " + settingText(s.Value)}
		if origin {
			row = append(row, s.Origin)
		}
		if doc {
			row = append(row, s.Doc)
		}
		rows = append(rows, row)
	}
	if a.json {
		a.result = map[string]any{"settings": shown}
		return nil
	}
	return a.columns(rows)
}

func anySetting(c config.Config, want string) bool {
	for _, s := range config.Settings(c, nil) {
		if chosen(s, []string{want}) {
			return true
		}
	}
	return false
}

// chosen tells whether a setting is among those that are listed by section or name; all are when none is.
func chosen(s config.Setting, list []string) bool {
	for _, want := range list {
		if s.Name == want || strings.HasPrefix(s.Name, want+".") {
			return true
		}
	}
	return len(list) == 0
}

// settingText is a value as it is set.
func settingText(v any) string {
	if list, ok := v.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(v)
}

func (a *app) configSetCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "set SECTION.KEY VALUE",
		Short: "Write a value into the configuration file",
		Long: `Write a value into the configuration file, which is made if there is none. All else
in it stays as it is. Lists have commas between their items. Nothing is written
when the file would be wrong.`,
		Example: `  hypernode config set network.listen /ip4/0.0.0.0/tcp/4000,tcp://0.0.0.0:4001
  hypernode config set limits.store 100GiB`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, list []string) error {
			return a.changeConfig(file, func(name string, text []byte) ([]byte, error) { return config.Set(name, text, list[0], list[1]) })
		},
	}
	configFlag(c, &file)
	return c
}

func (a *app) configUnsetCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:     "unset SECTION.KEY",
		Short:   "Take a key out of the configuration file",
		Example: `  hypernode config unset network.port`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, list []string) error {
			return a.changeConfig(file, func(name string, text []byte) ([]byte, error) { return config.Unset(name, text, list[0]) })
		},
	}
	configFlag(c, &file)
	return c
}

func configFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "config", "", "configuration file (default config.toml in the folder that holds everything)")
}

// configPath is the file that is changed: the one that is named, or the one that is read by default.
func (a *app) configPath(file string) (string, error) {
	if file != "" {
		return filepath.Abs(file)
	}
	root, err := a.folder()
	if err != nil {
		return "", err
	}
	return a.configFile(root), nil
}

// configChanged is what commands print that change the file.
type configChanged struct {
	File    string `json:"file"`
	Changed bool   `json:"changed"`
}

// changeConfig replaces the configuration file by what change makes of it.
func (a *app) changeConfig(file string, change func(name string, text []byte) ([]byte, error)) error {
	name, err := a.configPath(file)
	if err != nil {
		return err
	}
	text, err := readConfig(name)
	if err != nil {
		return err
	}
	out, err := change(name, text)
	if err != nil {
		return invalidConfig(err)
	}
	a.result = configChanged{name, string(out) != string(text)}
	if string(out) == string(text) {
		return fail(exitNothing, "", "%s says so already", plain(name))
	}
	if err := writeConfig(name, out); err != nil {
		a.result = nil
		return err
	}
	a.say("changed %s", plain(name))
	a.tellRestart()
	return nil
}

// tellRestart says what becomes of a change while a node runs.
func (a *app) tellRestart() {
	if client := a.runningNode(context.Background()); client != nil {
		client.Close()
		a.say(`the node that runs takes it when it is started again`)
	}
}

func invalidConfig(err error) error {
	if errors.Is(err, config.ErrInvalid) {
		return &failure{exitUsage, `"hypernode config show --explain" tells what there is`, err}
	}
	return err
}

// readConfig reads a configuration file; one that is not there is the sample, in which every key is commented out.
func readConfig(name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return []byte(config.Sample()), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return text, nil
}

// writeConfig replaces the file. A link stays one.
func writeConfig(name string, text []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	temporary := name + ".part"
	err := os.WriteFile(temporary, text, mode)
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", errors.Join(err, removed(temporary)))
	}
	return nil
}

func removed(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (a *app) configEditCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "edit",
		Short: "Edit the configuration file with $VISUAL or $EDITOR",
		Long: `Edit a copy of the configuration file, and put it in its place if it is right. What
is wrong is told, and the copy is kept.`,
		Example: `  EDITOR=nano hypernode config edit`,
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return a.editConfig(c.Context(), file) },
	}
	configFlag(c, &file)
	return c
}

// editor is the user's, as words.
func (a *app) editor() []string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if words := strings.Fields(a.getenv(name)); len(words) > 0 {
			return words
		}
	}
	if runtime.GOOS == "windows" {
		return []string{"notepad"}
	}
	return []string{"vi"}
}

func (a *app) editConfig(ctx context.Context, file string) error {
	name, err := a.configPath(file)
	if err != nil {
		return err
	}
	text, err := readConfig(name)
	if err != nil {
		return err
	}
	draft := name + ".edit"
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if _, err := os.Stat(draft); errors.Is(err, fs.ErrNotExist) { // else the one of the last time, that was wrong, goes on
		if err := os.WriteFile(draft, text, 0o600); err != nil {
			return fmt.Errorf("writing the configuration: %w", err)
		}
	}
	words := append(a.editor(), draft)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.stdin, a.stdout, a.stderr
	if err := cmd.Run(); err != nil {
		return fail(exitFailed, "set EDITOR; what was edited is in "+plain(draft), "editing with %s: %w", plain(words[0]), err)
	}
	out, err := os.ReadFile(draft)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	if err := config.Parse(draft, out); err != nil {
		return &failure{exitUsage, `"hypernode config edit" goes on where you left; remove ` + plain(draft) + " to begin anew", err}
	}
	a.result = configChanged{name, string(out) != string(text)}
	if string(out) == string(text) {
		return errors.Join(removed(draft), fail(exitNothing, "", "nothing was changed"))
	}
	if err := writeConfig(name, out); err != nil {
		a.result = nil
		return err
	}
	a.say("changed %s", plain(name))
	a.tellRestart()
	return removed(draft)
}

func (a *app) configValidateCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:     "validate [FILE]",
		Short:   "Check the configuration, or a file, and change nothing",
		Example: `  hypernode config validate ./config.toml`,
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, list []string) error {
			if len(list) == 1 {
				f.file = list[0]
			}
			_, _, err := a.configuration(&f, false)
			if err != nil {
				return err
			}
			name, err := a.configPath(f.file)
			if err != nil {
				return err
			}
			a.result = map[string]any{"file": name, "valid": true}
			a.say("%s and the environment are valid", plain(name))
			return nil
		},
	}
	f.add(c.Flags())
	return c
}

// paths is the result of "paths".
type paths struct {
	Folder string `json:"folder"`
	Config string `json:"config"`
	Store  string `json:"store"`
	Socket string `json:"socket"`
}

func (a *app) pathsCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:     "paths",
		Short:   "Tell where everything lies",
		Example: `  hypernode paths --json`,
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			c, _, err := a.configuration(&f, false)
			if err != nil {
				return err
			}
			file, err := a.configPath(f.file)
			if err != nil {
				return err
			}
			p := paths{c.Path, file, c.StorePath(), api.Path(c)}
			a.result = p
			return a.columns([][]string{{"folder", p.Folder}, {"config", p.Config}, {"store", p.Store}, {"socket", p.Socket}})
		},
	}
	f.add(c.Flags())
	return c
}
