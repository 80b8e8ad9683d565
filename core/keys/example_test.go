package keys_test

import (
	"fmt"

	"github.com/hypernode/hypernode/core/keys"
)

// A key is named by 52 characters; links carry a path behind it.
func ExampleParse() {
	k, err := keys.Parse("pear://op5yrym14d695xkx1xdtfhmwrig3dpsar8no39ejwnqbi6x34y3y/photos/1.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(k)
	fmt.Println(k.Hex())
	// Output:
	// op5yrym14d695xkx1xdtfhmwrig3dpsar8no39ejwnqbi6x34y3y
	// 8376020172d0fdfdbd4f93c712f174254d91b6d821c50cfd09a09c1af9f9d032
}

// A store keeps one secret; every named core has its own pair, the same each time.
func ExamplePrimaryKey_Pair() {
	var primary keys.PrimaryKey // all zero here; NewPrimaryKey makes a random one
	var root keys.StoreNamespace
	journal := primary.Pair(root, []byte("journal"))
	again := primary.Pair(root, []byte("journal"))
	other := primary.Pair(root.Child([]byte("guest")), []byte("journal"))
	fmt.Println(journal.Public == again.Public, journal.Public == other.Public)
	fmt.Println(primary)
	// Output:
	// true false
	// redacted
}

// Whoever holds the public key can check what the holder of the pair signed.
func ExampleVerify() {
	pair := keys.PairFromSeed(keys.Seed{1})
	sig := pair.Sign([]byte("hello"))
	fmt.Println(keys.Verify(pair.Public, []byte("hello"), sig[:]))
	fmt.Println(keys.Verify(pair.Public, []byte("hullo"), sig[:]))
	// Output:
	// true
	// false
}

// Peers look for a core under a name that does not give away its key.
func ExampleKey_Discovery() {
	var k keys.Key
	fmt.Println(k.Discovery().Hex())
	// Output: 6b7ecf9ce456d56e5145ec4c5661e0c79ee47ddcc9c0504e90aa6fd60746365c
}
