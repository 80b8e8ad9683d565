// Commands for cores.
'use strict'
const Hypercore = require('hypercore')
const crypto = require('hypercore-crypto')
const multisig = require('hypercore/lib/multisig')
const caps = require('hypercore/lib/caps')
const { put, get, bytes, within } = require('./handles.cjs')

const pair = (seed) => crypto.keyPair(bytes(seed))

// compat makes a core of the older kind in a store, which itself makes none.
async function compat (store, keyPair) {
  const core = Hypercore.createCore(store.storage, { key: keyPair.publicKey, keyPair, compat: true })
  await core.ready()
  await core.close()
  return { key: keyPair.publicKey, keyPair }
}

// quorumOf is the manifest for cores that several sign, of whom so many are needed.
function quorumOf (signers, quorum) {
  return { version: 1, quorum, signers: signers.map((publicKey) => ({ publicKey: bytes(publicKey) })) }
}

async function which (store, { name, key, seed, signers, quorum, compat: old }) {
  if (key) return { key: bytes(key) }
  if (signers) return { manifest: quorumOf(signers, quorum) }
  if (old) return compat(store, pair(seed))
  if (seed) return { keyPair: pair(seed) }
  return { name }
}

async function state (core) {
  const held = []
  for (let i = 0; i < core.length; i++) {
    if (!core.core.bitfield.get(i)) continue
    if (held.length && held[held.length - 1].end === i) held[held.length - 1].end++
    else held.push({ start: i, end: i + 1 })
  }
  return {
    key: core.key,
    length: core.length,
    fork: core.fork,
    byteLength: core.byteLength,
    contiguous: core.contiguousLength,
    hash: await Hypercore.treeHashFromStorage(core),
    held
  }
}

// seal signs what the core is to become with several keys.
function seal (core, seeds, signable) {
  return multisig.assemble(seeds.map((seed) => {
    const keyPair = pair(seed)
    const signer = core.manifest.signers.findIndex((s) => s.publicKey.equals(keyPair.publicKey))
    return { signer, signature: crypto.sign(signable, keyPair.secretKey), patch: 0, nodes: null }
  }))
}

// changed waits for one change of the head.
function changed (core) {
  return new Promise((resolve) => {
    const done = () => {
      core.off('append', done)
      core.off('truncate', done)
      resolve()
    }
    core.on('append', done)
    core.on('truncate', done)
  })
}

module.exports = {
  // core.open {store, name | key | seed | signers, quorum; compat?, encryption?} -> {handle, key, ...}
  async 'core.open' (args) {
    const store = get(args.store)
    const core = store.get({ ...await which(store, args), encryption: bytes(args.encryption) })
    await core.ready()
    return { handle: put(core, () => core.close()), ...await state(core) }
  },

  // core.static {store, core} -> {handle, key, ...}: a core that is what another one holds now
  async 'core.static' (args) {
    const core = await get(args.store).staticify(get(args.core))
    return { handle: put(core, () => core.close()), ...await state(core) }
  },

  async 'core.state' ({ core }) { return state(get(core)) },

  // core.append {core, blocks, sign?}: sign are the seeds of the signers of a core that has several
  async 'core.append' (args) {
    const core = get(args.core)
    const blocks = args.blocks.map(bytes).map((b) => b || Buffer.alloc(0))
    const options = {}
    if (args.sign) {
      const batch = core.state.createTreeBatch()
      for (const b of blocks) batch.append(b)
      options.signature = seal(core, args.sign, batch.signable(core.key))
    }
    await core.append(blocks, options)
  },

  // core.truncate {core, length, sign?}
  async 'core.truncate' ({ core: handle, length, sign }) {
    const core = get(handle)
    if (!sign) return void await core.truncate(length)
    const hash = await Hypercore.treeHashFromStorage(core, length)
    const signature = seal(core, sign, caps.treeSignable(core.key, hash, length, core.fork + 1))
    await core.truncate(length, { signature })
  },

  async 'core.clear' ({ core, start, end }) { await get(core).clear(start, end) },

  // core.get {core, index, ms} -> {block}
  async 'core.get' ({ core, index, ms }) { return { block: await get(core).get(index, { timeout: ms }) } },

  // core.download {core, start, end, ms}: end -1 is for ever
  async 'core.download' ({ core, start, end, ms }) {
    const range = get(core).download({ start, end })
    await within(ms, range.done(), () => range.destroy())
  },

  // core.read {core, start, end} -> {blocks}: those that are here, null for others
  async 'core.read' ({ core, start, end }) {
    const blocks = []
    for (let i = start; i < end; i++) blocks.push(await get(core).get(i, { wait: false }))
    return { blocks }
  },

  async 'core.update' ({ core, ms }) { await within(ms, get(core).update({ wait: true })) },

  // core.reach {core, length, fork, ms}: waits for at least that length of that fork
  async 'core.reach' ({ core: handle, length, fork, ms }) {
    const core = get(handle)
    const reach = async () => { while (core.fork !== fork || core.length < length) await changed(core) }
    await within(ms, reach())
  },

  // core.stats {core} -> {wire, peers}: messages by type, and what is known of each peer
  async 'core.stats' ({ core }) {
    const r = get(core).core.replicator
    const wire = {}
    for (const [name, n] of Object.entries(r.stats)) if (n.rx || n.tx) wire[name] = n
    return {
      wire,
      peers: r.peers.map((p) => ({
        paused: p.paused,
        fork: p.remoteFork,
        length: p.remoteLength,
        contiguous: p._remoteContiguousLength,
        acked: p.lengthAcked,
        uploading: p.remoteUploading,
        inflight: p.inflight,
        missing: Array.from({ length: Math.min(p.remoteLength, 1000) }, (_, i) => i).filter((i) => p.missingBlocks.get(i)).length
      }))
    }
  }
}
