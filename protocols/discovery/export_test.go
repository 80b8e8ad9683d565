package discovery

import (
	"bufio"
	"bytes"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
)

// decodeForTest decodes an answer of a DHT peer.
func decodeForTest(data []byte) error {
	var m pb.Message
	return readMessage(bufio.NewReader(bytes.NewReader(data)), &m)
}
