// A stock peer of one core, driven by lines on stdin, answering by lines of JSON on stdout.
//   node peer.cjs DIR write N | node peer.cjs DIR read KEY
// It listens on a port of loopback, which it prints with the core's key.
const net = require('net')
const readline = require('readline')
const Hypercore = require('hypercore')

const [dir, role, what] = process.argv.slice(2)
const say = (o) => console.log(JSON.stringify(o))
const block = (i) => 'this is block ' + i

async function main () {
  const core = new Hypercore(dir, role === 'read' ? Buffer.from(what, 'hex') : null)
  await core.ready()
  const grow = async (n) => {
    const blocks = []
    for (let i = 0; i < n; i++) blocks.push(Buffer.from(block(core.length + i)))
    await core.append(blocks)
  }
  if (role === 'write') await grow(Number(what))
  const server = net.createServer((socket) => {
    const s = core.replicate(false)
    socket.on('error', () => {})
    s.on('error', (err) => say({ error: err.message }))
    socket.pipe(s).pipe(socket)
  })
  server.listen(0, '127.0.0.1', () => say({ key: core.key.toString('hex'), port: server.address().port }))
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [cmd, a, b] = line.split(' ')
    try {
      if (cmd === 'append') await grow(Number(a))
      if (cmd === 'truncate') await core.truncate(Number(a))
      if (cmd === 'clear') await core.clear(Number(a), Number(b))
      if (cmd === 'download') {
        await core.update({ wait: true })
        for (let i = Number(a); i < Number(b); i++) {
          const got = (await core.get(i, { timeout: 5000 })).toString()
          if (got !== block(i)) throw new Error('block ' + i + ' is ' + got)
        }
      }
      if (cmd === 'reach') {
        while (core.length !== Number(a) || core.fork !== Number(b)) await new Promise((resolve) => core.once('append', resolve) && core.once('truncate', resolve))
      }
      say({ length: core.length, fork: core.fork, hash: Buffer.from(await core.treeHash()).toString('hex') })
    } catch (err) {
      say({ error: err.message })
    }
  }
  process.exit(0)
}

main().catch((err) => { say({ error: err.message }); process.exit(1) })
