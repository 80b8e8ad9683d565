package api

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/datastore"
)

// minToken is the least number of characters of a token, that nobody guesses one.
const minToken = 32

// TokenPath returns the file of the tokens of a scope: one on each line. It has mode 0600. The node makes those that are missing,
// with a token each, when it listens for TCP; what is changed in them counts at once.
func TokenPath(c config.Config, s Scope) string { return filepath.Join(tokenFolder(c), s.String()) }

func tokenFolder(c config.Config) string { return filepath.Join(c.Path, "tokens") }

// tokens are the tokens of a node.
type tokens struct{ files datastore.Secrets }

// openTokens makes the files that are missing, and checks those that are there.
func openTokens(c config.Config) (*tokens, error) {
	if c.Path == "" {
		return nil, errors.New("listening for control by TCP: a node that keeps everything in memory has no place for tokens")
	}
	t := &tokens{datastore.FileSecrets(tokenFolder(c))}
	for _, s := range Scopes() {
		_, err := t.load(s)
		if errors.Is(err, datastore.ErrNotFound) {
			err = t.files.Store(s.String(), []byte(newToken()+"\n"))
		}
		if err != nil {
			return nil, fmt.Errorf("tokens of the scope %s: %w", s, err)
		}
	}
	return t, nil
}

func newToken() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// load reads the tokens of a scope.
func (t *tokens) load(s Scope) (list [][]byte, err error) {
	text, err := t.files.Load(s.String())
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case len(line) < minToken:
			return nil, fmt.Errorf("a token of %d characters: want at least %d", len(line), minToken)
		default:
			list = append(list, line)
		}
	}
	return list, nil
}

// scope returns what a token allows, NoScope for one that is none. Files that cannot be read, or that others may read, have none.
// How long it takes tells nothing of how much of a token is right.
func (t *tokens) scope(given string) (found Scope, err error) {
	sum := sha256.Sum256([]byte(given))
	for _, s := range Scopes() {
		list, lerr := t.load(s)
		if lerr != nil && !errors.Is(lerr, datastore.ErrNotFound) {
			err = errors.Join(err, fmt.Errorf("tokens of the scope %s: %w", s, lerr))
		}
		for _, token := range list {
			known := sha256.Sum256(token)
			if subtle.ConstantTimeCompare(sum[:], known[:]) == 1 {
				found = max(found, s)
			}
		}
	}
	return found, err
}
