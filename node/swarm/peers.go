package swarm

import (
	"github.com/libp2p/go-libp2p/core/peer"
)

// Peers reads multiaddrs that end in /p2p/ID, those of one peer gathered. key is what errors call them.
func Peers(key string, list []string) ([]peer.AddrInfo, error) {
	var infos []peer.AddrInfo
	at := map[peer.ID]int{}
	for _, text := range list {
		info, err := peer.AddrInfoFromString(text)
		if err != nil {
			return nil, badAddress(key, text, err)
		}
		i, ok := at[info.ID]
		if !ok {
			i = len(infos)
			at[info.ID] = i
			infos = append(infos, peer.AddrInfo{ID: info.ID})
		}
		infos[i].Addrs = append(infos[i].Addrs, info.Addrs...)
	}
	return infos, nil
}
