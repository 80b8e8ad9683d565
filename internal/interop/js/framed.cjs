// Messages over a byte stream that is encrypted and authenticated already: 32 random bytes from each side, both at once,
// then frames of a length in 3 bytes, little-endian, and that many bytes. An empty one keeps the stream alive.
//
// The stream's name, which Hypercore calls the handshake hash, is the BLAKE2b-512 of a context, the two peer ids with 2
// bytes of length in front, big-endian, and the two nonces: first the initiator's, then the responder's.
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

// FramedStream looks like a secret stream to Protomux and Hypercore.
class FramedStream extends Duplex {
  constructor (socket, { initiator, local, remote }) {
    super()
    this.noiseStream = this
    this.rawStream = socket
    this.isInitiator = initiator
    this.publicKey = local
    this.remotePublicKey = remote
    this.handshakeHash = null
    this.userData = null
    this.keepAlive = 1 // Hypercore sets one where there is none
    this.opened = new Promise((resolve) => { this._opened = resolve })

    this._nonce = b4a.alloc(NONCE)
    sodium.randombytes_buf(this._nonce)
    this._rest = b4a.alloc(0)
    this._ready = null
    socket.on('data', (data) => this._take(data))
    socket.on('end', () => this.push(null))
    socket.on('error', (err) => this.destroy(err))
    socket.on('close', () => this.destroy())
    socket.pause()
  }

  setKeepAlive () {}
  alloc (n) { return b4a.allocUnsafe(n) }

  _open (cb) {
    this._ready = cb
    this.rawStream.write(this._nonce)
    this.rawStream.resume()
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
    this._opened(true)
    this._ready(null)
    return true
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
    if (this.rawStream.write(frame)) return cb(null)
    this._drain(cb)
  }

  _drain (cb) {
    const socket = this.rawStream
    const done = () => {
      socket.off('drain', done)
      socket.off('close', done)
      cb(null)
    }
    socket.on('drain', done)
    socket.on('close', done)
  }

  _final (cb) { this.rawStream.end(() => cb(null)) }

  _predestroy () {
    this._opened(false)
    if (this._ready && !this.handshakeHash) this._ready(new Error('closed before it was open'))
  }

  _destroy (cb) {
    this.rawStream.destroy()
    cb(null)
  }
}

module.exports = { FramedStream, binding }
