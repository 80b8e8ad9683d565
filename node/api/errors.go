package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/node"
)

// ErrNotRunning tells that no node answers at the socket.
var ErrNotRunning = errors.New("api: no node is running")

// The codes of errors.
const (
	CodeInvalid   = "invalid"    // the request is wrong
	CodeNotFound  = "not-found"  // what it names is not there
	CodeVersion   = "no-version" // the drive has no such version
	CodeRefused   = "refused"    // the node may not do it
	CodeNoSpace   = "no-space"   // the disk is full
	CodeQuota     = "quota"      // the store may not use more of it
	CodeCancelled = "cancelled"  // it was broken off
	CodeFailed    = "failed"     // anything else
)

// Error is what a node answered.
type Error struct {
	Status  int    `json:"-"`
	Message string `json:"error"`
	Code    string `json:"code"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// invalid is an error of the request.
func invalid(format string, values ...any) error {
	return &Error{http.StatusBadRequest, fmt.Sprintf(format, values...), CodeInvalid}
}

// judge makes an Error of any error.
func judge(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	for _, k := range []struct {
		err    error
		status int
		code   string
	}{
		{drive.ErrVersion, http.StatusNotFound, CodeVersion},
		{bee.ErrVersion, http.StatusNotFound, CodeVersion},
		{node.ErrNotSeeded, http.StatusNotFound, CodeNotFound},
		{core.ErrNotFound, http.StatusNotFound, CodeNotFound},
		{fs.ErrNotExist, http.StatusNotFound, CodeNotFound},
		{drive.ErrNoDrive, http.StatusNotFound, CodeNotFound},
		{keys.ErrKeyText, http.StatusBadRequest, CodeInvalid},
		{core.ErrNotWritable, http.StatusForbidden, CodeRefused},
		{drive.ErrReadOnly, http.StatusForbidden, CodeRefused},
		{datastore.ErrNoSpace, http.StatusInsufficientStorage, CodeNoSpace},
	} {
		if errors.Is(err, k.err) {
			return &Error{k.status, err.Error(), k.code}
		}
	}
	return &Error{http.StatusInternalServerError, err.Error(), CodeFailed}
}
