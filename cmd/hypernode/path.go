package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/config"
)

// folder returns the folder that holds everything: --path, $HYPERNODE_PATH, or one in the user's data folder.
func (a *app) folder() (string, error) {
	dir := a.path
	if dir == "" {
		dir = a.getenv("HYPERNODE_PATH")
	}
	if dir == "" {
		data, err := a.dataFolder(runtime.GOOS)
		if err != nil {
			return "", err
		}
		dir = filepath.Join(data, "hypernode")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the folder %s: %w", plain(dir), err)
	}
	return abs, nil
}

// dataFolder returns the folder in which a system keeps what belongs to a user. A relative $XDG_DATA_HOME is void.
func (a *app) dataFolder(system string) (string, error) {
	if dir := a.getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	variable, below := "HOME", filepath.Join(".local", "share")
	switch system {
	case "darwin":
		below = filepath.Join("Library", "Application Support")
	case "windows":
		variable, below = "LOCALAPPDATA", ""
	}
	home := a.getenv(variable)
	if !filepath.IsAbs(home) {
		return "", fail(exitFailed, "name a folder with --path or HYPERNODE_PATH", "finding the data folder: $%s is not set", variable)
	}
	return filepath.Join(home, below), nil
}

// storeExists tells whether there is a store. The file that is looked for is written last when a store is made.
func storeExists(c config.Config) (bool, error) {
	name := "FORMAT"
	switch c.Store.Engine {
	case "memory":
		return false, nil
	case "badger":
		name = "MANIFEST"
	}
	return exists(filepath.Join(c.StorePath(), name))
}

// identityExists tells whether a node has run on the store.
func identityExists(c config.Config) (bool, error) {
	return exists(filepath.Join(c.StorePath(), "secrets", "identity"))
}

func exists(name string) (bool, error) {
	_, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	return err == nil, err
}

func environmentTopic() *cobra.Command {
	return &cobra.Command{Use: "environment", Short: "Environment variables and files", Long: `Environment variables:

  HYPERNODE_PATH            folder that holds everything; --path goes before it
  HYPERNODE_SECTION_KEY     any key of the configuration, see "hypernode config show";
                            for example HYPERNODE_DISCOVERY_PROFILE=lan
  HYPERNODE_ENCRYPTION_KEY  key of an encrypted core, z-base-32 or hexadecimal;
                            --encryption-key-file goes before it
  XDG_DATA_HOME             else everything lies in $XDG_DATA_HOME/hypernode, by
                            default ~/.local/share/hypernode (macOS: ~/Library/
                            Application Support, Windows: %LOCALAPPDATA%)
  XDG_CONFIG_HOME           the configuration is $XDG_CONFIG_HOME/hypernode/config.toml
  XDG_RUNTIME_DIR           the socket of the node that runs lies there
  VISUAL, EDITOR            what "hypernode config edit" starts

With HYPERNODE_PATH or --path the configuration and the socket lie in that folder
too; "hypernode paths" tells where. The folder has the store in "store". Its
"secrets/primary-key" is the one file from which the keys of all named cores are
derived: back it up, show it nobody.

Output has no colours, with NO_COLOR and without.`}
}
