// Commands for connections over js-libp2p: TCP and WebSocket, with Noise and yamux, and the framed stream in a stream of
// its own protocol.
import { createRequire } from 'node:module'
import { createLibp2p } from 'libp2p'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { multiaddr } from '@multiformats/multiaddr'

const require = createRequire(new URL('../js/', import.meta.url)) // the packages of that folder
const { Duplex } = require('streamx')
const { FramedStream, overLibp2p } = require('./framed.cjs')
const { put, get } = require('./handles.cjs')

const PROTOCOL = '/hypercore/replicate/1'
const RAW = '/hypercore/secretstream/1'

// talk replicates a store over a stream.
function talk (store, host, stream, connection, initiator) {
  const local = host.peerId.toMultihash().bytes
  const remote = connection.remotePeer.toMultihash().bytes
  const framed = new FramedStream(overLibp2p(stream), { initiator, local, remote })
  framed.on('error', (err) => console.error('stream:', err.message))
  store.replicate(framed)
}

// Raw is a stream of js-libp2p as what Hypercore's own transport is put over, with nothing in between.
class Raw extends Duplex {
  constructor (stream) {
    super()
    this._bytes = overLibp2p(stream)
  }

  _open (cb) {
    this._bytes.read({
      data: (data) => { if (!this.push(data)) this._bytes.pause() },
      end: () => this.push(null),
      close: (err) => this.destroy(err)
    })
    cb(null)
  }

  _read (cb) {
    this._bytes.resume()
    cb(null)
  }

  _write (data, cb) { this._bytes.write(data, cb) }
  _final (cb) { this._bytes.end(cb) }

  _destroy (cb) {
    this._bytes.abort(new Error('the stream was destroyed'))
    cb(null)
  }
}

// talkRaw replicates a store over a stream as over a socket.
function talkRaw (store, stream) {
  const raw = new Raw(stream)
  const secret = store.replicate(true)
  for (const s of [raw, secret]) s.on('error', (err) => console.error('stream:', err.message))
  raw.on('close', () => secret.destroy())
  raw.pipe(secret).pipe(raw)
}

export default {
  // libp2p.start {store, listen} -> {handle, peer, addresses}: a host that replicates a store with whoever asks for it
  async 'libp2p.start' ({ store, listen }) {
    const host = await createLibp2p({
      addresses: { listen: listen || [] },
      transports: [tcp(), webSockets()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() }
    })
    await host.handle(PROTOCOL, (stream, connection) => talk(get(store), host, stream, connection, false))
    return {
      handle: put({ host, store }, () => host.stop()),
      peer: host.peerId.toString(),
      addresses: host.getMultiaddrs().map(String)
    }
  },

  // libp2p.dial {host, address, raw}: opens a stream to a peer, whose address ends in its id; raw puts Hypercore's own
  // transport into it
  async 'libp2p.dial' ({ host: handle, address, raw }) {
    const { host, store } = get(handle)
    const connection = await host.dial(multiaddr(address))
    const stream = await connection.newStream(raw ? RAW : PROTOCOL)
    if (raw) talkRaw(get(store), stream)
    else talk(get(store), host, stream, connection, true)
  }
}
