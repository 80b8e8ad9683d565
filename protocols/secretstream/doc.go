// Package secretstream is the transport that Hypercore peers speak over a plain byte stream such as TCP: it turns a
// [net.Conn] into an encrypted and authenticated stream of messages.
//
// Start with [Client] on the side that dialled and [Server] on the other; then use [Conn.ReadMessage] and
// [Conn.WriteMessages]. Neither side need know the other's key: each proves one, which [Conn.RemoteKey] tells.
//
// On the wire everything is a frame: a length of 3 bytes, little-endian, and that many bytes.
//
//   - Three frames are the handshake Noise_XX_Ed25519_ChaChaPoly_BLAKE2b, with an empty prologue and empty payloads. Keys
//     are Ed25519 key pairs, and a shared secret is a point of that curve: the product of the remote key and the clamped
//     scalar of one's own. Remote keys that are not canonical, of small order or outside the prime-order group are refused.
//   - One frame of each side has the id of its direction, 32 bytes, and the 24 random bytes from which its cipher starts.
//   - Every further frame is a message under libsodium's secretstream (XChaCha20-Poly1305), 17 bytes longer than the
//     message. An empty message keeps the connection alive and is dropped by the receiver.
//
// The layer below the cipher is [Frames], which other packages use for streams that are encrypted already.
//
// What arrives is suspect: a length is never allocated for before that many bytes came, a frame that has begun must make
// progress, the handshake has a deadline, and the first byte that is not authentic ends the stream. The package starts no
// goroutine; keep-alives are sent by a timer that Close stops.
package secretstream
