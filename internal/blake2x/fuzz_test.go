package blake2x

import "testing"

// FuzzSum256 compares all implementations with the library. Each byte of cuts makes one message: it says how much of head it takes,
// and how much of data from where the last one ended.
func FuzzSum256(f *testing.F) {
	g := load(f)
	in, _ := leaves(f, g)
	more, _ := parents(f, g)
	for i, m := range append(in, more...) {
		f.Add(m.Head, m.Data, []byte{255, byte(i), 9, 43, 42, 44, 128, 1, 0, 254, 255})
	}
	f.Fuzz(func(t *testing.T, head, data, cuts []byte) {
		if len(cuts) > 64 {
			return
		}
		checkAll(t, cut(head, data, cuts))
	})
}

func cut(head, data, cuts []byte) []Message {
	in := make([]Message, len(cuts))
	rest := data
	for i, c := range cuts {
		if len(rest) == 0 {
			rest = data
		}
		n := min(3*int(c), len(rest))
		in[i] = Message{Head: head[:int(c)%(len(head)+1)], Data: rest[:n]}
		rest = rest[n:]
	}
	return in
}
