package api

import (
	"encoding/json"
	"errors"
	"io/fs"
)

// fault is an error of a file, as it is sent.
type fault struct {
	Text string `json:"text"`
	Kind string `json:"kind,omitempty"`
}

// faultKinds are the errors that are known on the other side again.
func faultKinds() map[string]error {
	return map[string]error{"not-exist": fs.ErrNotExist, "permission": fs.ErrPermission, "exist": fs.ErrExist}
}

func encodeFault(err error) []byte {
	f := fault{Text: err.Error()}
	for kind, known := range faultKinds() {
		if errors.Is(err, known) {
			f.Kind = kind
		}
	}
	b, err := json.Marshal(f)
	if err != nil {
		return nil // a text can always be encoded
	}
	return b
}

func faultOf(data []byte) error {
	var f fault
	if json.Unmarshal(data, &f) != nil {
		return errors.New("api: a fault that cannot be read")
	}
	return &remoteError{f.Text, faultKinds()[f.Kind]}
}

// remoteError is an error of the other side.
type remoteError struct {
	text string
	is   error
}

// Error implements error.
func (e *remoteError) Error() string { return e.text }

// Unwrap returns what is known of its kind.
func (e *remoteError) Unwrap() error { return e.is }
