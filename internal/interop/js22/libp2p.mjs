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

const require = createRequire(import.meta.url)
const { FramedStream, overLibp2p } = require('../js/framed.cjs')
const { put, get } = require('../js/handles.cjs')

const PROTOCOL = '/hypercore/replicate/1'

const binary = (peer) => Buffer.from(peer.toMultihash().bytes)

// talk replicates a store over a stream.
function talk (store, host, stream, connection, initiator) {
  const local = binary(host.peerId)
  const remote = binary(connection.remotePeer)
  const framed = new FramedStream(overLibp2p(stream), { initiator, local, remote })
  framed.on('error', (err) => console.error('stream:', err.message))
  store.replicate(framed)
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

  // libp2p.dial {host, address} -> {transport}: opens a stream to a peer, whose address ends in its id
  async 'libp2p.dial' ({ host: handle, address }) {
    const { host, store } = get(handle)
    const connection = await host.dial(multiaddr(address))
    const stream = await connection.newStream(PROTOCOL)
    talk(get(store), host, stream, connection, true)
    return { transport: connection.remoteAddr.toString() }
  },

  // libp2p.connections {host} -> {addresses}: how the peers are connected
  async 'libp2p.connections' ({ host }) {
    return { addresses: get(host).host.getConnections().map((c) => c.remoteAddr.toString()) }
  }
}
