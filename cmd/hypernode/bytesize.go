package main

import "github.com/hypernode/hypernode/config"

// byteSize is a flag that takes a number of bytes, or a size like 10GiB.
type byteSize int64

// String implements pflag.Value.
func (b *byteSize) String() string { return config.Bytes(*b).String() }

// Set implements pflag.Value.
func (b *byteSize) Set(text string) error {
	n, err := config.ParseBytes(text)
	*b = byteSize(n)
	return err
}

// Type implements pflag.Value.
func (*byteSize) Type() string { return "size" }
