package secretstream

import (
	"bytes"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/vectors"
)

type wireFile struct {
	Noise        []goldenNoise   `json:"noise"`
	DH           []goldenDH      `json:"dh"`
	HKDF         []goldenHKDF    `json:"hkdf"`
	Secretstream goldenStream    `json:"secretstream"`
	Sessions     []goldenSession `json:"sessions"`
}

type goldenNoise struct {
	Protocol               string        `json:"protocol"`
	InitiatorStaticSeed    vectors.Hex   `json:"initiatorStaticSeed"`
	ResponderStaticSeed    vectors.Hex   `json:"responderStaticSeed"`
	InitiatorEphemeralSeed vectors.Hex   `json:"initiatorEphemeralSeed"`
	ResponderEphemeralSeed vectors.Hex   `json:"responderEphemeralSeed"`
	InitiatorPublicKey     vectors.Hex   `json:"initiatorPublicKey"`
	ResponderPublicKey     vectors.Hex   `json:"responderPublicKey"`
	Framed                 []vectors.Hex `json:"framed"`
	HandshakeHash          vectors.Hex   `json:"handshakeHash"`
	InitiatorTx            vectors.Hex   `json:"initiatorTx"`
	InitiatorRx            vectors.Hex   `json:"initiatorRx"`
	InitiatorStreamID      vectors.Hex   `json:"initiatorStreamId"`
	ResponderStreamID      vectors.Hex   `json:"responderStreamId"`
}

type goldenDH struct {
	Seed            vectors.Hex `json:"seed"`
	RemotePublicKey vectors.Hex `json:"remotePublicKey"`
	Shared          vectors.Hex `json:"shared"`
}

type goldenHKDF struct {
	ChainingKey vectors.Hex   `json:"chainingKey"`
	IKM         vectors.Hex   `json:"ikm"`
	Out         []vectors.Hex `json:"out"`
}

type goldenStream struct {
	Key      vectors.Hex `json:"key"`
	Header   vectors.Hex `json:"header"`
	Messages []struct {
		Plaintext  vectors.Hex `json:"plaintext"`
		Ciphertext vectors.Hex `json:"ciphertext"`
	} `json:"messages"`
}

func load(t testing.TB) (w wireFile) {
	t.Helper()
	vectors.Load(t, "wire.json", &w)
	if len(w.Noise) == 0 || len(w.DH) == 0 || len(w.HKDF) == 0 || len(w.Secretstream.Messages) == 0 || len(w.Sessions) == 0 {
		t.Fatal("a list of the golden data is empty")
	}
	return w
}

func pair(t testing.TB, seed vectors.Hex) keys.Pair {
	t.Helper()
	return keys.PairFromSeed(seed.Array32(t))
}

// same compares bytes given with bytes made.
func same(t *testing.T, what string, got []byte, want vectors.Hex) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s is %x, want %v", what, got, want)
	}
}

func frame(b []byte) []byte {
	return append([]byte{byte(len(b)), byte(len(b) >> 8), byte(len(b) >> 16)}, b...)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestVectorsNoise(t *testing.T) {
	for i, c := range load(t).Noise {
		if c.Protocol != noiseProtocol {
			t.Errorf("%d: protocol %q", i, c.Protocol)
		}
		a := newNoise(pair(t, c.InitiatorStaticSeed), pair(t, c.InitiatorEphemeralSeed))
		b := newNoise(pair(t, c.ResponderStaticSeed), pair(t, c.ResponderEphemeralSeed))
		same(t, "initiator's key", a.static.Public[:], c.InitiatorPublicKey)
		same(t, "responder's key", b.static.Public[:], c.ResponderPublicKey)
		if len(c.Framed) != 3 {
			t.Fatalf("%d: %d messages", i, len(c.Framed))
		}
		first := a.write1()
		same(t, "message 1", frame(first), c.Framed[0])
		must(t, b.read1(c.Framed[0][lengthBytes:]))
		second, err := b.write2()
		must(t, err)
		same(t, "message 2", frame(second), c.Framed[1])
		must(t, a.read2(c.Framed[1][lengthBytes:]))
		third, err := a.write3()
		must(t, err)
		same(t, "message 3", frame(third), c.Framed[2])
		must(t, b.read3(c.Framed[2][lengthBytes:]))
		checkEnd(t, &c, a, b)
	}
}

func checkEnd(t *testing.T, c *goldenNoise, a, b *noise) {
	t.Helper()
	same(t, "initiator's hash", a.hash[:], c.HandshakeHash)
	same(t, "responder's hash", b.hash[:], c.HandshakeHash)
	same(t, "key seen by the initiator", a.remoteStatic[:], c.ResponderPublicKey)
	same(t, "key seen by the responder", b.remoteStatic[:], c.InitiatorPublicKey)
	for _, x := range []*noise{a, b} {
		tx, rx := x.split()
		same(t, "initiator's tx", tx[:], c.InitiatorTx)
		same(t, "initiator's rx", rx[:], c.InitiatorRx)
	}
	id := streamID(&a.hash, true)
	same(t, "initiator's id", id[:], c.InitiatorStreamID)
	id = streamID(&a.hash, false)
	same(t, "responder's id", id[:], c.ResponderStreamID)
}

func TestVectorsDH(t *testing.T) {
	for _, c := range load(t).DH {
		remote := c.RemotePublicKey.Array32(t)
		got, err := dh(pair(t, c.Seed), &remote)
		must(t, err)
		same(t, "secret", got[:], c.Shared)
	}
}

func TestVectorsHKDF(t *testing.T) {
	for _, c := range load(t).HKDF {
		chain := [hashBytes]byte(c.ChainingKey)
		first, second := hkdf(&chain, c.IKM)
		if len(c.Out) != 2 {
			t.Fatalf("%d outputs", len(c.Out))
		}
		same(t, "first output", first[:], c.Out[0])
		same(t, "second output", second[:], c.Out[1])
	}
}

func goldenBox(t testing.TB, c *goldenStream) *box {
	t.Helper()
	key := c.Key.Array32(t)
	s, err := newBox(&key, (*[headerBytes]byte)(c.Header))
	must(t, err)
	return s
}

func TestVectorsSecretstream(t *testing.T) {
	c := load(t).Secretstream
	tx, rx := goldenBox(t, &c), goldenBox(t, &c)
	for i, m := range c.Messages {
		before := bytes.Repeat([]byte{0xa5}, room)
		b, err := tx.seal(bytes.Clone(before), m.Plaintext)
		must(t, err)
		if !bytes.Equal(b[:room], before) {
			t.Errorf("%d: what was before is changed", i)
		}
		same(t, "ciphertext", b[room:], m.Ciphertext)
		got, err := rx.open(append(before, m.Ciphertext...), room)
		must(t, err)
		same(t, "plaintext", got, m.Plaintext)
	}
}
