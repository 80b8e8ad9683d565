package api_test

import (
	"context"
	"fmt"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

// Have the node that runs keep a copy.
func Example() {
	ctx := context.Background()
	c, err := api.Dial(ctx, api.Path(config.Config{Path: "/no/such/folder"}))
	if err != nil {
		fmt.Println("no node is running")
		return
	}
	defer c.Close()
	if err := c.Seed(ctx, keys.Key{}, node.SeedOptions{Label: "photos"}); err != nil {
		fmt.Println(err)
	}
	// Output: no node is running
}
