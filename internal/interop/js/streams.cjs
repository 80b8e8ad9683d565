// Commands for connections: TCP on loopback, with a secret stream or the framed stream over it.
'use strict'
const net = require('net')
const { FramedStream, overSocket } = require('./framed.cjs')
const { put, get, close, bytes } = require('./handles.cjs')

// talk replicates a store over a socket. framed is {local, remote}, the peer ids, or nothing for a secret stream.
function talk (store, socket, initiator, framed) {
  socket.setNoDelay(true)
  socket.on('error', () => {}) // a connection that breaks is no fault here
  if (framed) {
    const stream = new FramedStream(overSocket(socket), { initiator, local: bytes(framed.local), remote: bytes(framed.remote) })
    stream.on('error', complain)
    store.replicate(stream)
    return
  }
  const stream = store.replicate(initiator)
  stream.on('error', complain)
  socket.on('close', () => stream.destroy())
  socket.pipe(stream).pipe(socket)
}

// complain tells on stderr why a stream ended, where the test shows it if it fails.
function complain (err) {
  if (err.code !== 'ECONNRESET' && err.code !== 'EPIPE') console.error('stream:', err.message)
}

function gone (socket) {
  if (socket.closed) return
  return new Promise((resolve) => {
    socket.on('close', resolve)
    socket.destroy()
  })
}

module.exports = {
  // listen {store, framed?} -> {handle, port}
  async listen ({ store, framed }) {
    const sockets = new Set()
    const server = net.createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      talk(get(store), socket, false, framed)
    })
    await new Promise((resolve, reject) => {
      server.on('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    const handle = put(server, async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      await Promise.all([...sockets].map(gone))
      await closed
    })
    return { handle, port: server.address().port }
  },

  // dial {store, port, framed?} -> {handle}
  async dial ({ store, port, framed }) {
    const socket = net.connect(port, '127.0.0.1')
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    talk(get(store), socket, true, framed)
    return { handle: put(socket, () => gone(socket)) }
  },

  async hangup ({ handle }) { await close(handle) }
}
