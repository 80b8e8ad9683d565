package blake2x

import "golang.org/x/crypto/blake2b"

// sumPlain hashes one message after the other. It allocates nothing as long as messages fit into a block, and one hash
// state for all that follow the first longer one.
func sumPlain(out [][Size]byte, in []Message) {
	for i := range in {
		if len(in[i].Head)+len(in[i].Data) > blockSize {
			sumLong(out[i:], in[i:])
			return
		}
		out[i] = sumShort(&in[i])
	}
}

// sumShort hashes a message of at most one block.
func sumShort(m *Message) [Size]byte {
	var block [blockSize]byte
	n := copy(block[:], m.Head)
	n += copy(block[n:], m.Data)
	return blake2b.Sum256(block[:n])
}

// sumLong hashes messages of any length. The state is made and used in one function so that the compiler knows its type
// and sees that it keeps nothing: heads in the caller's stack frame stay there.
func sumLong(out [][Size]byte, in []Message) {
	d, err := blake2b.New256(nil)
	if err != nil {
		panic(err) // only a key that is too long is refused
	}
	for i := range in {
		d.Reset()
		d.Write(in[i].Head)
		d.Write(in[i].Data)
		d.Sum(out[i][:0])
	}
}
