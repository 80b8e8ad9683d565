// Messages over a byte stream that is encrypted and authenticated already: 32 random bytes from each side, both at once,
// then frames of a length in 3 bytes, little-endian, and that many bytes. An empty one keeps the stream alive.
//
// The stream's name, which Hypercore calls the handshake hash, is the BLAKE2b-512 of a context, the two peer ids with 2
// bytes of length in front, big-endian, and the two nonces: first the initiator's, then the responder's.
//
// This file needs no other of this folder: with overLibp2p it is all that a JavaScript program needs to join.
// SPDX-License-Identifier: MIT OR Apache-2.0
'use strict'
const { Duplex } = require('streamx')
const b4a = require('b4a')
const sodium = require('sodium-universal')

const CONTEXT = b4a.from('hypernode/libp2p-binding/1')
const NONCE = 32
const HEADER = 3

function sized (id) {
  return b4a.concat([b4a.from([id.byteLength >> 8, id.byteLength & 0xff]), id])
}

function binding (initiator, responder, initiatorNonce, responderNonce) {
  const hash = b4a.alloc(64)
  sodium.crypto_generichash(hash, b4a.concat([CONTEXT, sized(initiator), sized(responder), initiatorNonce, responderNonce]))
  return hash
}

// FramedStream looks like a secret stream to Protomux and Hypercore. bytes is the stream below, from overSocket or
// overLibp2p; initiator tells whether this side opened it; local and remote are the two peer ids in binary.
class FramedStream extends Duplex {
  constructor (bytes, { initiator, local, remote }) {
    super()
    this.noiseStream = this
    this.rawStream = bytes
    this.isInitiator = initiator
    this.publicKey = b4a.from(local)
    this.remotePublicKey = b4a.from(remote)
    this.handshakeHash = null
    this.connected = false
    this.userData = null
    this.keepAlive = 1 // Hypercore sets one where there is none
    this.opened = new Promise((resolve) => { this._opened = resolve })

    this._nonce = b4a.alloc(NONCE)
    sodium.randombytes_buf(this._nonce)
    this._rest = b4a.alloc(0)
    this._ready = null
  }

  setKeepAlive () {}
  alloc (n) { return b4a.allocUnsafe(n) }

  _open (cb) {
    this._ready = cb
    this.rawStream.read({
      data: (data) => this._take(data),
      end: () => this._ended(),
      close: (err) => this.destroy(err)
    })
    this.rawStream.write(this._nonce, (err) => { if (err) this.destroy(err) })
  }

  _take (data) {
    this._rest = this._rest.byteLength ? b4a.concat([this._rest, data]) : data
    if (!this.handshakeHash && !this._bind()) return
    let room = true
    let at = 0
    for (const rest = this._rest; rest.byteLength - at >= HEADER;) {
      const end = at + HEADER + (rest[at] | rest[at + 1] << 8 | rest[at + 2] << 16)
      if (end > rest.byteLength) break
      if (end > at + HEADER) room = this.push(rest.subarray(at + HEADER, end))
      at = end
    }
    this._rest = this._rest.subarray(at)
    if (!room) this.rawStream.pause()
  }

  _bind () {
    if (this._rest.byteLength < NONCE) return false
    const theirs = this._rest.subarray(0, NONCE)
    this._rest = this._rest.subarray(NONCE)
    this.handshakeHash = this.isInitiator
      ? binding(this.publicKey, this.remotePublicKey, this._nonce, theirs)
      : binding(this.remotePublicKey, this.publicKey, theirs, this._nonce)
    this.connected = true
    this._opened(true)
    this._ready(null)
    return true
  }

  _ended () {
    if (this.handshakeHash && !this._rest.byteLength) this.push(null)
    else this.destroy(new Error('the stream ended within a frame'))
  }

  _read (cb) {
    this.rawStream.resume()
    cb(null)
  }

  _write (message, cb) {
    const n = message.byteLength
    const frame = b4a.allocUnsafe(HEADER + n)
    frame[0] = n & 0xff
    frame[1] = n >> 8 & 0xff
    frame[2] = n >> 16
    frame.set(message, HEADER)
    this.rawStream.write(frame, cb)
  }

  _final (cb) { this.rawStream.end(cb) }

  _predestroy () {
    this._opened(false)
    if (this._ready && !this.handshakeHash) this._ready(new Error('closed before it was open'))
  }

  _destroy (cb) {
    this.rawStream.abort(new Error('the stream was destroyed'))
    cb(null)
  }
}

// What a stream below can do: read hands out what comes until end, or until close, which may tell why; pause and resume hold
// it back; write, and end, call back when the next may come.

// overSocket makes one of a net.Socket.
function overSocket (socket) {
  socket.pause()
  return {
    read ({ data, end, close }) {
      socket.on('data', data)
      socket.on('end', end)
      socket.on('error', close)
      socket.on('close', () => close())
      socket.resume()
    },
    pause () { socket.pause() },
    resume () { socket.resume() },
    write (bytes, cb) {
      if (socket.destroyed) return cb(new Error('the socket is closed'))
      if (socket.write(bytes)) return cb(null)
      const done = () => {
        socket.off('drain', done)
        socket.off('close', done)
        cb(null)
      }
      socket.on('drain', done)
      socket.on('close', done)
    },
    end (cb) { socket.end(() => cb(null)) },
    abort () { socket.destroy() }
  }
}

// overLibp2p makes one of a stream of js-libp2p 3. Its asynchronous iterator takes whatever comes, so that a slow reader
// would fill the memory: its events and pause do not.
function overLibp2p (stream) {
  let over = false
  let ended = () => {}
  return {
    read ({ data, end, close }) {
      ended = end
      stream.addEventListener('message', ({ data: list }) => {
        const bytes = list.subarray()
        data(b4a.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      })
      stream.addEventListener('remoteCloseWrite', () => {
        over = true
        if (stream.readStatus !== 'paused') ended()
      })
      stream.addEventListener('close', (event) => close(event.error))
    },
    pause () { if (stream.readStatus === 'readable') stream.pause() },
    resume () {
      if (stream.readStatus !== 'paused') return
      stream.resume()
      if (over) ended()
    },
    write (bytes, cb) {
      try {
        if (stream.send(bytes)) return cb(null)
      } catch (err) {
        return cb(err)
      }
      stream.onDrain().then(() => cb(null), cb)
    },
    end (cb) { stream.close().then(() => cb(null), cb) },
    abort (err) { stream.abort(err) }
  }
}

module.exports = { FramedStream, overSocket, overLibp2p, binding }
