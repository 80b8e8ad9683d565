package pebble

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// A journal file is a header and then frames, one for each commit:
//
//	header  magic(8) version(4) number(4) salt(8) base(8) synced(8) crc(4)
//	frame   salt(8) length(4) crc(4) seq(8) synced(8) payload(length)
//
// All numbers are little-endian. Crc is the CRC32C of all of the header before it, or of length, seq, synced and the
// payload. Base is the seq of the first frame of the file; frames of earlier files with that seq or a later one are
// void. Synced is a seq up to which all commits were on stable storage when the frame was written.
//
// The salt is random for each file and never leaves it, so that no bytes that a peer chose can look like a frame.
const (
	journalMagic   = "hnjournl"
	journalVersion = 1
	journalHeader  = 44
	frameHeader    = 32
	maxFrame       = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// fileHeader is the header of a journal file.
type fileHeader struct {
	number       uint32
	salt         uint64
	base, synced uint64
}

func appendHeader(b []byte, h fileHeader) []byte {
	from := len(b)
	b = append(b, journalMagic...)
	b = binary.LittleEndian.AppendUint32(b, journalVersion)
	b = binary.LittleEndian.AppendUint32(b, h.number)
	b = binary.LittleEndian.AppendUint64(b, h.salt)
	b = binary.LittleEndian.AppendUint64(b, h.base)
	b = binary.LittleEndian.AppendUint64(b, h.synced)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

// parseHeader reads a header; ok tells whether it is one.
func parseHeader(b []byte) (h fileHeader, ok bool) {
	if len(b) < journalHeader || string(b[:8]) != journalMagic ||
		binary.LittleEndian.Uint32(b[8:]) != journalVersion ||
		binary.LittleEndian.Uint32(b[journalHeader-4:]) != crc32.Checksum(b[:journalHeader-4], castagnoli) {
		return fileHeader{}, false
	}
	return fileHeader{
		number: binary.LittleEndian.Uint32(b[12:]),
		salt:   binary.LittleEndian.Uint64(b[16:]),
		base:   binary.LittleEndian.Uint64(b[24:]),
		synced: binary.LittleEndian.Uint64(b[32:]),
	}, true
}

// frame is one commit in the journal.
type frame struct {
	seq, synced uint64
	payload     []byte // a batch of Pebble
}

func appendFrame(b []byte, salt uint64, f frame) []byte {
	from := len(b)
	b = binary.LittleEndian.AppendUint64(b, salt)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.payload)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, f.seq)
	b = binary.LittleEndian.AppendUint64(b, f.synced)
	b = append(b, f.payload...)
	binary.LittleEndian.PutUint32(b[from+12:], frameSum(b[from:]))
	return b
}

// parseFrame reads the frame at the start of b and returns its whole length. The payload aliases b.
func parseFrame(b []byte, salt uint64) (f frame, n int, ok bool) {
	if len(b) < frameHeader || binary.LittleEndian.Uint64(b) != salt {
		return frame{}, 0, false
	}
	n = frameHeader + int(binary.LittleEndian.Uint32(b[8:]))
	if n > len(b) || binary.LittleEndian.Uint32(b[12:]) != frameSum(b[:n]) {
		return frame{}, 0, false
	}
	return frame{
		seq:     binary.LittleEndian.Uint64(b[16:]),
		synced:  binary.LittleEndian.Uint64(b[24:]),
		payload: b[frameHeader:n],
	}, n, true
}

func frameSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[8:12], castagnoli), castagnoli, b[16:])
}

// nextFrame finds the first whole frame in b, passing over bytes that are none, and returns where it ends. The frames
// after a broken one tell whether it was torn by a crash or damaged later.
func nextFrame(b []byte, salt uint64) (f frame, end int, ok bool) {
	mark := binary.LittleEndian.AppendUint64(nil, salt)
	for at := 0; ; at++ {
		i := bytes.Index(b[at:], mark)
		if i < 0 {
			return frame{}, 0, false
		}
		at += i
		if f, n, ok := parseFrame(b[at:], salt); ok {
			return f, at + n, true
		}
	}
}
