package protocols_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a goroutine outlives the tests.
func TestMain(m *testing.M) {
	// A WebRTC stream that was closed listens for some seconds for what the peer has to say to that.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/pion/sctp.(*Stream).SetReadDeadline.func1"))
}
