package datastore_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/datastoretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	open := func(t *testing.T, dir string, o datastore.Options) *datastore.DB { return datastore.NewMemory(o) }
	datastoretest.Run(t, open, datastoretest.Caps{Secrets: true})
}
