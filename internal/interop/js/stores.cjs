// Commands for stores.
'use strict'
const Corestore = require('corestore')
const { put, close, bytes } = require('./handles.cjs')

module.exports = {
  // store.open {dir, primaryKey?} -> {handle}
  async 'store.open' ({ dir, primaryKey }) {
    const store = new Corestore(dir, primaryKey ? { primaryKey: bytes(primaryKey), unsafe: true } : {})
    await store.ready()
    return { handle: put(store, () => store.close()) }
  },

  // close {handle}: of anything
  async close ({ handle }) { await close(handle) }
}
