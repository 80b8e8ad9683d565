// What makes a process a peer: one JSON object a line on stdin, {"id", "cmd", "args"}, is answered by one on stdout,
// {"id", "result"} or {"id", "error": {"message", "code"}}. Bytes are base64. Commands run side by side; who needs an order
// waits for the answer. The process ends when stdin does.
'use strict'
const readline = require('readline')
const { closeAll } = require('./handles.cjs')

Buffer.prototype.toJSON = function () { return this.toString('base64') }

function say (answer) { process.stdout.write(JSON.stringify(answer) + '\n') }

async function obey (commands, { id, cmd, args }) {
  try {
    if (!Object.hasOwn(commands, cmd)) throw new Error('no command ' + cmd)
    say({ id, result: (await commands[cmd](args || {})) ?? {} })
  } catch (err) {
    say({ id, error: { message: err.message, code: err.code || '', stack: err.stack } })
  }
}

// serve takes commands until stdin ends.
function serve (commands) {
  process.on('unhandledRejection', (err) => { throw err })
  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', (line) => obey(commands, JSON.parse(line)))
  lines.on('close', () => closeAll().then(() => process.exit(0), (err) => { console.error(err); process.exit(1) }))
}

// commands are those of a stock peer.
const commands = {
  ...require('./stores.cjs'),
  ...require('./cores.cjs'),
  ...require('./streams.cjs'),
  ...require('./bees.cjs'),
  ...require('./drives.cjs'),
  ...require('./bench.cjs')
}

module.exports = { serve, commands }
