// Commands for the speed comparison: everything that takes time runs here, without the test in between.
'use strict'
const { get } = require('./handles.cjs')
const streams = require('./streams.cjs')

const POOL = 8 << 20
let pool = null
let followed = null

// block is block i of the workload: bytes that do not compress, cut from a pool of 8 MiB at i*4099, with i in front.
function block (i, size) {
  if (!pool) pool = require('crypto').createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(POOL))
  const b = Buffer.allocUnsafeSlow(size)
  const at = (i * 4099) % (POOL - size)
  pool.copy(b, 0, at, at + size)
  if (size >= 8) b.writeBigUInt64LE(BigInt(i), 0)
  return b
}

module.exports = {
  // bench.fill {core, count, size, batch}
  async 'bench.fill' ({ core: handle, count, size, batch }) {
    const core = get(handle)
    for (let i = core.length; i < count; i = core.length) {
      const blocks = []
      for (let j = i; j < Math.min(i + batch, count); j++) blocks.push(block(j, size))
      await core.append(blocks)
    }
  },

  // bench.copy {store, core, port, count} -> {seconds}: from before the connection is made to the last block
  async 'bench.copy' ({ store, core: handle, port, count }) {
    const core = get(handle)
    const start = process.hrtime.bigint()
    await streams.dial({ store, port })
    await core.update({ wait: true })
    await core.download({ start: 0, end: count }).done()
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    if (core.length !== count || core.contiguousLength !== count) throw new Error('not all came')
    return { seconds }
  },

  // bench.append {core, count, size, every}: one block each so many milliseconds, with the time of its append in front
  async 'bench.append' ({ core: handle, count, size, every }) {
    const core = get(handle)
    for (let i = 0; i < count; i++) {
      const b = Buffer.alloc(size)
      const start = process.hrtime.bigint()
      b.writeBigUInt64LE(start, 0)
      await core.append(b)
      const took = Number(process.hrtime.bigint() - start) / 1e6
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, every - took)))
    }
  },

  // bench.follow {store, core, port, count}: begins to read so many blocks behind those that are there
  async 'bench.follow' ({ store, core: handle, port, count }) {
    const core = get(handle)
    await streams.dial({ store, port })
    await core.update({ wait: true })
    const took = []
    followed = new Promise((resolve, reject) => {
      const blocks = core.createReadStream({ start: core.length, live: true })
      blocks.on('error', reject).on('data', (b) => {
        took.push(Number(process.hrtime.bigint() - b.readBigUInt64LE(0)) / 1e6)
        if (took.length === count) resolve(took)
      })
    })
    followed.catch(() => {}) // bench.followed tells
  },

  // bench.followed {} -> {took}: how many milliseconds after its append each of them was here
  async 'bench.followed' () { return { took: await followed } }
}
