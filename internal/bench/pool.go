package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

const poolSize = 8 << 20

// pool is the keystream that blocks are cut from: bytes that nothing compresses.
type pool []byte

func newPool() (pool, error) {
	b, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		return nil, err
	}
	p := make([]byte, poolSize)
	cipher.NewCTR(b, make([]byte, b.BlockSize())).XORKeyStream(p, p)
	return p, nil
}

// block makes block i of a size in dst, and returns it.
func (p pool) block(dst []byte, i uint64, size int) []byte {
	at := i * 4099 % uint64(poolSize-size)
	dst = append(dst[:0], p[at:at+uint64(size)]...)
	if size >= 8 {
		binary.LittleEndian.PutUint64(dst, i)
	}
	return dst
}

// is tells whether b is block i of a size.
func (p pool) is(b []byte, i uint64, size int) bool {
	if len(b) != size || size < 8 || binary.LittleEndian.Uint64(b) != i {
		return false
	}
	at := i * 4099 % uint64(poolSize-size)
	return bytes.Equal(b[8:], p[at+8:at+uint64(size)])
}

// rng draws the indexes of random reads.
type rng uint32

func (r *rng) next(n uint64) uint64 {
	*r = *r*1664525 + 1013904223
	return uint64(*r) * n >> 32
}

// treeHash is the beginning of the known tree hash of the first n blocks of a size, "" when it is not known.
func treeHash(n uint64, size int) string {
	switch [2]uint64{n, uint64(size)} {
	case [2]uint64{2000, 1024}:
		return "2608cc85dba99952"
	case [2]uint64{20000, 1024}:
		return "25da65e68ea2ecbf"
	case [2]uint64{200000, 1024}:
		return "5ce2673e5bf2fd51"
	case [2]uint64{16384, 65536}:
		return "75d845fe77586bc5"
	}
	return ""
}

// coreKey is the beginning of the key of the core "bench".
const coreKey = "2c663e246063328b"
