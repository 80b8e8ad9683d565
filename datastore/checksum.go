package datastore

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum is the CRC32C of key and value together, so that a value found under another's key fails too.
func Checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, key), castagnoli, value)
}

const sealSize = 4

// seal appends value and its checksum, in little-endian order, to dst.
func seal(dst, key, value []byte) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, value...), Checksum(key, value))
}

// open checks what seal made and returns the value, which aliases sealed.
func open(key, sealed []byte) ([]byte, error) {
	n := len(sealed) - sealSize
	if n < 0 {
		return nil, &CorruptError{Key: append(Key(nil), key...)}
	}
	if Checksum(key, sealed[:n]) != binary.LittleEndian.Uint32(sealed[n:]) {
		return nil, &CorruptError{Key: append(Key(nil), key...), Value: bytes.Clone(sealed[:n])}
	}
	return sealed[:n:n], nil
}
