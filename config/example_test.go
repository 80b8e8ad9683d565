package config_test

import (
	"fmt"

	"github.com/hypernode/hypernode/config"
)

func ExampleLoad() {
	c, origin, err := config.Load(config.Sources{
		Path:    "/data",
		Environ: []string{"HYPERNODE_DISCOVERY_PROFILE=lan"},
		Flags:   map[string]string{"network.port": "5000"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Discovery.Profile, origin["discovery.profile"])
	fmt.Println(c.Network.Port, origin["network.port"])
	fmt.Println(c.Store.Engine, origin["store.engine"])
	// Output:
	// lan HYPERNODE_DISCOVERY_PROFILE
	// 5000 flag
	// pebble default
}

func ExampleLoad_misspelled() {
	_, _, err := config.Load(config.Sources{Environ: []string{"HYPERNODE_DISCOVERY_PROFIL=lan"}})
	fmt.Println(err)
	// Output: environment: there is no key HYPERNODE_DISCOVERY_PROFIL; did you mean HYPERNODE_DISCOVERY_PROFILE?
}
