package replicate_test

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols/replicate"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// open makes a store in memory whose cores are replicated by a set.
func open(ctx context.Context) (*replicate.Set, *corestore.Store, error) {
	primary, err := keys.NewPrimaryKey()
	if err != nil {
		return nil, nil, err
	}
	set := replicate.New(replicate.Options{})
	db := datastore.NewMemory(datastore.Options{})
	store, err := corestore.Open(ctx, db, corestore.Options{Source: set, PrimaryKey: primary})
	return set, store, err
}

// Two stores over one connection: the reader gets a block that it does not hold.
func ExampleNew() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	serving, source, err := open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	reading, copies, err := open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	x, y := net.Pipe()
	var loops sync.WaitGroup
	loops.Go(func() {
		if conn, err := secretstream.Server(ctx, x, secretstream.Options{}); err == nil {
			_ = serving.Serve(ctx, conn, source.Find)
		}
	})
	loops.Go(func() {
		if conn, err := secretstream.Client(ctx, y, secretstream.Options{}); err == nil {
			_ = reading.Serve(ctx, conn, copies.Find)
		}
	})
	defer func() {
		cancel()
		loops.Wait()
		_, _ = source.Close(), copies.Close()
	}()

	log, err := source.Open(ctx, corestore.Name("log"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := log.Append(ctx, []byte("hello"), []byte("world")); err != nil {
		fmt.Println(err)
		return
	}
	replica, err := copies.Open(ctx, corestore.Key(log.Key()))
	if err != nil {
		fmt.Println(err)
		return
	}
	block, err := replica.Get(ctx, 1)
	fmt.Printf("%s %v\n", block, err)
	// Output: world <nil>
}

// join connects two stores until the function that it returns is called.
func join(serving, reading *replicate.Set, source, copies *corestore.Store) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	x, y := net.Pipe()
	var loops sync.WaitGroup
	loops.Go(func() {
		if conn, err := secretstream.Server(ctx, x, secretstream.Options{}); err == nil {
			_ = serving.Serve(ctx, conn, source.Find)
		}
	})
	loops.Go(func() {
		if conn, err := secretstream.Client(ctx, y, secretstream.Options{}); err == nil {
			_ = reading.Serve(ctx, conn, copies.Find)
		}
	})
	return func() { cancel(); loops.Wait() }
}

// A download of a range, in order, and what there is to tell about it while it runs and in the end.
func ExampleReplicator_Stats() {
	ctx := context.Background()
	serving, source, err := open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	reading, copies, err := open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer copies.Close()
	log, err := source.Open(ctx, corestore.Name("log"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := log.Append(ctx, []byte("one"), []byte("two"), []byte("three"), []byte("four")); err != nil {
		fmt.Println(err)
		return
	}
	replica, err := copies.Open(ctx, corestore.Key(log.Key()))
	if err != nil {
		fmt.Println(err)
		return
	}
	stop := join(serving, reading, source, copies)
	var meter core.Meter
	err = replica.Download(ctx, core.Want{Ranges: []core.Range{{Start: 1, End: 4}}, Linear: true, Meter: &meter})
	p := meter.Progress()
	fmt.Printf("%d of %d blocks, %d bytes from %d peer (%v)\n", p.Blocks, p.Total, p.Bytes, p.Peers, err)
	stop() // what is counted by then does not change any more
	fmt.Println(reading.Core(log.DiscoveryKey()).Stats().BlocksIn, "blocks in all")
	// Output:
	// 3 of 3 blocks, 12 bytes from 1 peer (<nil>)
	// 3 blocks in all
}
