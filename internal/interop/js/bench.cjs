// Commands for the speed comparison: everything that takes time runs here, without the test in between.
'use strict'
const { get } = require('./handles.cjs')
const streams = require('./streams.cjs')

const POOL = 8 << 20
let pool = null

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
  }
}
