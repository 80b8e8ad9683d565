package testnet_test

import (
	"fmt"
	"time"

	"github.com/hypernode/hypernode/internal/testnet"
)

func ExampleNewLink() {
	shape := testnet.Shape{Delay: 5 * time.Millisecond, Rate: 1 << 20}
	a, b := testnet.NewLink(shape, shape).Ends()
	a.Write([]byte("hello"))
	a.Close()
	buf := make([]byte, 16)
	n, _ := b.Read(buf)
	fmt.Println(string(buf[:n]))
	// Output: hello
}
