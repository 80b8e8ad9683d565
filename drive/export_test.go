package drive

import "github.com/hypernode/hypernode/core/corestore"

// StoreOf returns the session of the store that a drive is in.
func StoreOf(d *Drive) *corestore.Store { return d.s.store }
