// Commands for drives.
'use strict'
const Hyperdrive = require('hyperdrive')
const Localdrive = require('localdrive')
const { put, get, bytes, within } = require('./handles.cjs')

const at = (drive, version) => version ? drive.checkout(version) : drive

const entry = (e) => e && { seq: e.seq, name: e.key, ...e.value }

async function all (stream, of) {
  const list = []
  for await (const x of stream) list.push(of(x))
  return list
}

async function mirror (from, to, options) {
  const m = from.mirror(to, options || {})
  await m.done()
  return { add: m.count.add, change: m.count.change, remove: m.count.remove, files: m.count.files }
}

// follow makes a folder equal to a drive now and after each change, until it is ended.
function follow (drive, to) {
  const watcher = drive.watch()
  const run = async () => {
    await mirror(drive, to)
    for await (const _ of watcher) await mirror(drive, to)
  }
  const running = run().catch((err) => { if (!watcher.destroyed) throw err })
  return async () => {
    await watcher.destroy()
    await running
  }
}

module.exports = {
  // drive.open {store, key? | namespace?, encryption?} -> {handle, key, contentKey?, version}
  async 'drive.open' ({ store, key, namespace, encryption }) {
    let s = get(store).session()
    if (namespace) s = s.namespace(namespace)
    const options = encryption ? { encryptionKey: bytes(encryption) } : {}
    const drive = key ? new Hyperdrive(s, bytes(key), options) : new Hyperdrive(s, options)
    await drive.ready()
    return {
      handle: put(drive, () => drive.close()),
      key: drive.key,
      contentKey: drive.contentKey,
      version: drive.version
    }
  },

  // drive.state {drive} -> {version, contentKey, db: {length, hash}, blobs: {length, hash}}
  async 'drive.state' ({ drive: handle }) {
    const drive = get(handle)
    const of = async (core) => ({ length: core.length, byteLength: core.byteLength, fork: core.fork, hash: await core.treeHash() })
    const blobs = await drive.getBlobs()
    return { version: drive.version, contentKey: drive.contentKey, db: await of(drive.core), blobs: await of(blobs.core) }
  },

  // drive.update {drive, ms}: learns of the newest version that a peer has
  async 'drive.update' ({ drive, ms }) { await within(ms, get(drive).core.update({ wait: true })) },

  // drive.put {drive, path, data, executable?, metadata?}
  async 'drive.put' ({ drive, path, data, executable, metadata }) {
    await get(drive).put(path, bytes(data) || Buffer.alloc(0), { executable: !!executable, metadata: metadata ?? null })
  },

  // drive.batch {drive, ops: [{path, data?, link?, del?, executable?, metadata?}]}: all changes in one batch
  async 'drive.batch' ({ drive, ops }) {
    const batch = get(drive).batch()
    for (const op of ops) {
      if (op.del) await batch.del(op.path)
      else if (op.link) await batch.symlink(op.path, op.link)
      else {
        await batch.put(op.path, bytes(op.data) || Buffer.alloc(0), { executable: !!op.executable, metadata: op.metadata ?? null })
      }
    }
    await batch.flush()
  },

  async 'drive.symlink' ({ drive, path, target }) { await get(drive).symlink(path, target) },

  // drive.blobsLength {drive} -> {length}: how many blocks of the contents the drive needs
  async 'drive.blobsLength' ({ drive }) { return { length: await get(drive).getBlobsLength() } },

  // drive.truncate {drive, version}: goes back to a version
  async 'drive.truncate' ({ drive, version }) { await get(drive).truncate(version) },

  async 'drive.del' ({ drive, path }) { await get(drive).del(path) },

  // drive.clear {drive, path}: gives up what a file holds, which stays listed
  async 'drive.clear' ({ drive, path }) { await get(drive).clear(path) },

  // drive.get {drive, path, version?, ms} -> {data}: null for none
  async 'drive.get' ({ drive, path, version, ms }) {
    return { data: await within(ms, at(get(drive), version).get(path)) }
  },

  // drive.read {drive, path, start, end} -> {data}: the bytes from start to end, which is included
  async 'drive.read' ({ drive, path, start, end, ms }) {
    const parts = []
    const read = async () => { for await (const part of get(drive).createReadStream(path, { start, end })) parts.push(part) }
    await within(ms, read())
    return { data: Buffer.concat(parts) }
  },

  async 'drive.entry' ({ drive, path, version }) { return { entry: entry(await at(get(drive), version).entry(path)) } },

  // drive.list {drive, folder?, version?} -> {entries}
  async 'drive.list' ({ drive, folder, version }) {
    return { entries: await all(at(get(drive), version).list(folder || '/'), entry) }
  },

  // drive.readdir {drive, folder} -> {names}
  async 'drive.readdir' ({ drive, folder }) { return { names: await all(get(drive).readdir(folder || '/'), (n) => n) } },

  // drive.diff {drive, old, folder?} -> {differences: [{left, right}]}
  async 'drive.diff' ({ drive, old, folder }) {
    const stream = get(drive).diff(old, folder || '/')
    return { differences: await all(stream, (d) => ({ left: entry(d.left), right: entry(d.right) })) }
  },

  // drive.export {drive, dir, version?} -> counts: makes a folder equal to the drive
  async 'drive.export' ({ drive, dir, version }) { return mirror(at(get(drive), version), new Localdrive(dir)) },

  // drive.follow {drive, dir} -> {handle}: makes a folder equal to the drive, now and whenever that changes, until closed
  async 'drive.follow' ({ drive, dir }) {
    const end = follow(get(drive), new Localdrive(dir))
    return { handle: put(end, end) }
  },

  // drive.import {drive, dir, dedup?} -> counts: makes the drive equal to a folder
  async 'drive.import' ({ drive, dir, dedup }) { return mirror(new Localdrive(dir), get(drive), { dedup: !!dedup }) },

  // drive.mirror {from, to} -> counts: makes one drive equal to another
  async 'drive.mirror' ({ from, to }) { return mirror(get(from), get(to)) },

  async 'drive.download' ({ drive, folder, ms }) {
    const d = await get(drive).download(folder || '/')
    await within(ms, d.done())
  }
}
