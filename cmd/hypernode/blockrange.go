package main

import (
	"fmt"
	"strconv"
	"strings"
)

// blockRange is the blocks start <= i < end.
type blockRange struct{ start, end uint64 }

// String is the form that parseRange reads: 7 for one block, else 7..10.
func (r blockRange) String() string {
	if r.end == r.start+1 {
		return strconv.FormatUint(r.start, 10)
	}
	return fmt.Sprintf("%d..%d", r.start, r.end)
}

// parseRange reads INDEX, START..END, START.., ..END or .. for a log of a length. The end is not included.
func parseRange(s string, length uint64) (r blockRange, err error) {
	from, to, several := strings.Cut(s, "..")
	if !several {
		r.start, err = parseIndex(s)
		if err != nil {
			return r, err
		}
		if r.end = r.start + 1; r.start >= length {
			return r, behind(r.start, length)
		}
		return r, nil
	}
	r.end = length
	if from != "" {
		r.start, err = parseIndex(from)
	}
	if to != "" && err == nil {
		r.end, err = parseIndex(to)
	}
	switch {
	case err != nil:
		return r, err
	case to != "" && r.start > r.end:
		return r, fail(exitUsage, "", "%s begins behind its end", plain(s))
	case r.end > length:
		return r, behind(r.end-1, length)
	case r.start > r.end:
		return r, behind(r.start, length)
	}
	return r, nil
}

func behind(i, length uint64) error {
	return fail(exitNotFound, "count from 0", "block %d is behind the end: the log has %s", i, count(length, "block"))
}

// parseIndex reads the number of a block, a length or a fork.
func parseIndex(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 53)
	if err != nil {
		return 0, fail(exitUsage, "", "%s is not a number of blocks: want 0 to 2^53-1", plain(s))
	}
	return n, nil
}

// ranges writes a sorted list of indexes in as few words as may be.
func ranges(list []uint64) string {
	var parts []string
	for i := 0; i < len(list); {
		r := blockRange{list[i], list[i] + 1}
		for i++; i < len(list) && list[i] == r.end; i++ {
			r.end++
		}
		parts = append(parts, r.String())
	}
	return strings.Join(parts, " ")
}
