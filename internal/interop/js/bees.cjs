// Commands for bees. Keys and values are bytes.
'use strict'
const Hyperbee = require('hyperbee')
const { Extension } = require('hyperbee/lib/messages')
const { put, get, bytes } = require('./handles.cjs')

function range ({ gt, gte, lt, lte, reverse, limit }) {
  const o = { reverse: !!reverse, limit: limit || -1 }
  for (const [k, v] of Object.entries({ gt, gte, lt, lte })) if (v !== undefined && v !== null) o[k] = Buffer.from(v, 'base64')
  return o
}

const none = Buffer.alloc(0)

async function change (to, { key, value, del, less }) {
  const data = bytes(value)
  const o = less ? { cas: (prev) => Buffer.compare(prev.value || none, data || none) < 0 } : undefined
  if (del) await to.del(Buffer.from(key, 'base64'), o)
  else await to.put(Buffer.from(key, 'base64'), data, o)
}

const entry = (e) => e && { seq: e.seq, key: e.key, value: e.value }

async function all (stream, of) {
  const list = []
  for await (const x of stream) list.push(of(x))
  return list
}

const at = (bee, version) => version ? bee.checkout(version) : bee

// spy notes the hints that a bee sends and receives.
function spy (bee) {
  const seen = []
  const note = (way, buffer) => {
    const { get, iterator, cache } = Extension.decode(buffer)
    seen.push({
      way,
      get: get && { version: get.version, key: get.key },
      iterator: iterator && { version: iterator.version, limit: iterator.limit },
      blocks: cache ? cache.blocks : null
    })
  }
  const { extension } = bee
  const { onmessage } = extension
  extension.onmessage = (buffer, from) => { note('in', buffer); onmessage.call(extension, buffer, from) }
  const { send, broadcast } = extension.outgoing
  extension.outgoing.send = (buffer, to) => { note('out', buffer); send.call(extension.outgoing, buffer, to) }
  extension.outgoing.broadcast = (buffer) => { note('out', buffer); broadcast.call(extension.outgoing, buffer) }
  return seen
}

const spies = new WeakMap()

module.exports = {
  // bee.open {core, skipSame?} -> {handle, version}
  async 'bee.open' ({ core, skipSame }) {
    const bee = new Hyperbee(get(core).session(), { keyEncoding: 'binary', valueEncoding: 'binary', alwaysDuplicate: !skipSame })
    await bee.ready()
    return { handle: put(bee, () => bee.close()), version: bee.version }
  },

  // bee.spy {bee}: notes the hints of a bee from now on
  async 'bee.spy' ({ bee }) { spies.set(get(bee), spy(get(bee))) },

  // bee.hints {bee} -> {hints: [{way: 'in' | 'out', get: {version, key}, iterator: {version, limit}, blocks}]}
  async 'bee.hints' ({ bee }) { return { hints: spies.get(get(bee)) } },

  // json.print {documents} -> {documents}: prints JSON texts anew
  async 'json.print' ({ documents }) { return { documents: documents.map((d) => JSON.stringify(JSON.parse(d))) } },

  async 'bee.version' ({ bee }) { return { version: get(bee).version } },

  async 'bee.put' ({ bee, key, value }) { await get(bee).put(Buffer.from(key, 'base64'), bytes(value)) },

  async 'bee.del' ({ bee, key }) { await get(bee).del(Buffer.from(key, 'base64')) },

  // bee.change {bee, groups: [[{key, value} | {key, del}]]}: a group of one change by itself, others in a batch. With less a
  // change is made only if the value that is there is less than the op's.
  async 'bee.change' ({ bee, groups }) {
    for (const ops of groups) {
      if (ops.length === 1) {
        await change(get(bee), ops[0])
        continue
      }
      const b = get(bee).batch()
      for (const op of ops) await change(b, op)
      await b.flush()
    }
  },

  // bee.get {bee, key, version?} -> {entry}: null for none
  async 'bee.get' ({ bee, key, version }) {
    return { entry: entry(await at(get(bee), version).get(Buffer.from(key, 'base64'))) }
  },

  // bee.range {bee, range?, version?} -> {entries}
  async 'bee.range' ({ bee, range: r, version }) {
    return { entries: await all(at(get(bee), version).createReadStream(range(r || {})), entry) }
  },

  async 'bee.history' ({ bee }) {
    return { entries: await all(get(bee).createHistoryStream(), (e) => ({ ...entry(e), type: e.type })) }
  },

  // bee.diff {bee, old, range?} -> {differences: [{left, right}]}
  async 'bee.diff' ({ bee, old, range: r }) {
    const stream = get(bee).createDiffStream(old, range(r || {}))
    return { differences: await all(stream, (d) => ({ left: entry(d.left), right: entry(d.right) })) }
  }
}
