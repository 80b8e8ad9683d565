package node_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a goroutine outlives the nodes of the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
