package evilpeer

import (
	"context"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// onRequests is what can be asked, by one who knows the key.
func onRequests() []Misbehaviour {
	block := func(i int) merkle.Request {
		return merkle.Request{ID: uint64(i + 1), Block: &merkle.BlockRequest{Index: uint64(i % 300)}}
	}
	return []Misbehaviour{
		{Name: "request flood", What: "asks for blocks without end", Run: asks(block)},
		{Name: "request flood unread", What: "the same, and reads no answer", Run: clones(4, again(unread(block)))},
		{Name: "urgent flood", What: "every request is the most urgent", Run: asks(func(i int) merkle.Request {
			q := block(i)
			q.Priority = most
			return q
		})},
		{Name: "id reuse", What: "every request has the same number", Run: asks(func(i int) merkle.Request {
			q := block(i)
			q.ID = 1
			return q
		})},
		{Name: "cancel storm", What: "asks and takes it back", Run: about(func(i int) mux.Message {
			if i%2 == 0 {
				return request(block(i))
			}
			return message(1, wire.TypeCancel, wire.Cancel{Request: uint64(i)}.Append(nil))
		})},
		{Name: "cancels of nothing", What: "takes back what was never asked", Run: about(func(i int) mux.Message {
			return message(1, wire.TypeCancel, wire.Cancel{Request: uint64(i)}.Append(nil))
		})},
		{Name: "unknown blocks", What: "asks for blocks that there are not", Run: asks(func(i int) merkle.Request {
			return merkle.Request{ID: uint64(i + 1), Block: &merkle.BlockRequest{Index: most - uint64(i)}}
		})},
		{Name: "other forks", What: "asks for another fork", Run: asks(func(i int) merkle.Request {
			q := block(i)
			q.Fork = uint64(i + 1)
			return q
		})},
		{Name: "invalid requests", What: "asks for what makes no sense", Run: asks(func(i int) merkle.Request {
			return merkle.Request{ID: uint64(i + 1), Upgrade: &merkle.UpgradeRequest{Start: uint64(i), Length: most / 2}}
		})},
		{Name: "paths out of the tree", What: "asks for paths of 2^53 levels", Run: asks(func(i int) merkle.Request {
			return merkle.Request{ID: uint64(i + 1), Block: &merkle.BlockRequest{Index: 1, Nodes: most}, Hash: &merkle.HashRequest{Index: most, Nodes: most}}
		})},
		{Name: "seek flood", What: "asks for byte positions, all the heavy ways", Run: asks(func(i int) merkle.Request {
			return merkle.Request{
				ID: uint64(i + 1), Upgrade: &merkle.UpgradeRequest{Length: 300}, Seek: &merkle.SeekRequest{Bytes: uint64(i*977) % 300_000, Padding: uint64(i % 2)},
			}
		})},
		{Name: "probe flood", What: "asks whether there is a conflict, without end", Run: asks(func(int) merkle.Request {
			return merkle.Request{Upgrade: &merkle.UpgradeRequest{Length: 300}}
		})},
		{Name: "manifest flood", What: "asks for the manifest, without end", Run: asks(func(i int) merkle.Request {
			return merkle.Request{ID: uint64(i + 1), Manifest: true}
		})},
		{Name: "broken requests", What: "requests that end early", Run: aboutOnce(message(1, wire.TypeRequest, []byte{0x3f, 1}))},
	}
}

func request(q merkle.Request) mux.Message {
	return message(1, wire.TypeRequest, merkle.AppendRequest(nil, &q))
}

// asks floods with requests, and reads the answers.
func asks(next func(i int) merkle.Request) func(context.Context, *Target) {
	return about(func(i int) mux.Message { return request(next(i)) })
}

// unread floods with requests, and reads nothing.
func unread(next func(i int) merkle.Request) func(context.Context, *Speaker) error {
	return func(ctx context.Context, s *Speaker) error {
		if err := s.enter(s.target.Serves, empty()); err != nil {
			return err
		}
		return s.flood(ctx, func(i int) mux.Message { return request(next(i)) })
	}
}
