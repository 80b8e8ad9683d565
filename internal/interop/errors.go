package interop

import (
	"errors"
	"fmt"
)

// ErrEnded tells that the process of the JavaScript stack is gone. What it said last is in the message.
var ErrEnded = errors.New("interop: the peer's process has ended")

// Failure is what a JavaScript peer answers when it could not do something.
type Failure struct {
	Message string
	Code    string // of the JavaScript stack, such as REQUEST_TIMEOUT or INVALID_OPERATION; often empty
	Stack   string
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Code == "" {
		return "peer: " + f.Message
	}
	return fmt.Sprintf("peer: %s (%s)", f.Message, f.Code)
}
