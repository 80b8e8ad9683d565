package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size. It is written as a number of bytes, or with a unit: kB, MB, GB, TB are powers of 1000, KiB, MiB, GiB,
// TiB of 1024.
type Bytes int64

func units() []struct {
	name string
	size float64
} {
	return []struct {
		name string
		size float64
	}{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
	}
}

// ParseBytes reads a size. It fails for negative ones, and for those of 2^63 bytes or more.
func ParseBytes(s string) (Bytes, error) {
	s = strings.TrimSpace(s)
	for _, u := range units() {
		number, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err == nil && n >= 0 && n*u.size < math.MaxInt64 {
			return Bytes(n * u.size), nil
		}
		break
	}
	return 0, fmt.Errorf("%q is no size: want a number of bytes, or one like 512MiB", s)
}

// String returns the size with the largest unit that divides it.
func (b Bytes) String() string {
	unit, name := int64(1), ""
	for _, u := range units()[:4] {
		if size := int64(u.size); b != 0 && int64(b)%size == 0 {
			unit, name = size, u.name
		}
	}
	return strconv.FormatInt(int64(b)/unit, 10) + name
}

// MarshalText implements encoding.TextMarshaler.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBytes(string(text))
	return err
}
