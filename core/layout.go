package core

import (
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// Where a core lies in a store, as keys "/group/item":
//
//	/c/DISCOVERY   the core's record: its number, key, manifest, flags
//	/k/-           the last number given to a core
//	/z/NUMBER      a deleted core whose data is still being removed
//	/x/DISCOVERY   the proof of a conflict; it outlives the core
//	/dNUMBER/h     head
//	/dNUMBER/t…    pages of tree nodes, by level and page
//	/dNUMBER/m…    pages of the bitmap of held blocks, beyond the contiguous ones
//	/dNUMBER/u…    user data, by name
//	/dNUMBER/INDEX in the key space of blocks: the blocks
//
// Numbers are given in order, so that the data of a core, and of cores made one after the other, lies together.
const (
	groupCore, groupCounter, groupDeleted, groupConflict, groupData = 'c', 'k', 'z', 'x', 'd'

	itemHead, itemTree, itemBitmap, itemUser = 'h', 't', 'm', 'u'
)

func recordKey(d keys.DiscoveryKey) datastore.Key {
	return datastore.Group(groupCore).Item().Bytes(d[:])
}

func conflictKey(d keys.DiscoveryKey) datastore.Key {
	return datastore.Group(groupConflict).Item().Bytes(d[:])
}

func counterKey() datastore.Key { return datastore.Group(groupCounter).Item().Kind('-') }

func deletedKey(id uint64) datastore.Key { return datastore.Group(groupDeleted).Item().Uint(id) }

// dataKey begins the keys of a core's data.
func dataKey(id uint64) datastore.Key { return datastore.Group(groupData).Uint(id).Item() }

func headKey(id uint64) datastore.Key { return dataKey(id).Kind(itemHead) }

func pageKey(id uint64, p pageID) datastore.Key {
	return dataKey(id).Kind(itemTree).Uint(p.level).Uint(p.page)
}

func bitmapKey(id, page uint64) datastore.Key { return dataKey(id).Kind(itemBitmap).Uint(page) }

func userKey(id uint64, name string) datastore.Key {
	return dataKey(id).Kind(itemUser).Bytes([]byte(name))
}

func blockKey(id, index uint64) datastore.Key { return dataKey(id).Uint(index) }

// secretName names the file of a core's secret seed.
func secretName(d keys.DiscoveryKey) string { return "core-" + d.Hex() }
