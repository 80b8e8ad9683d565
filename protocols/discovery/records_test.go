package discovery

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	ds "github.com/ipfs/go-datastore"
	dsq "github.com/ipfs/go-datastore/query"
	"github.com/libp2p/go-libp2p/core/peer"
)

func recordKey(topic, by int) ds.Key {
	return ds.NewKey(fmt.Sprintf("/providers/TOPIC%d/PEER%d", topic, by))
}

// entries are the keys and values that a query finds, in order.
func entries(t *testing.T, s ds.Datastore, q dsq.Query) (list []string) {
	t.Helper()
	res, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	all, err := res.Rest()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		list = append(list, e.Key+"="+string(e.Value))
	}
	slices.Sort(list)
	return list
}

// TestRecordsModel compares with a datastore that has no limits, in random operations.
func TestRecordsModel(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	s, model := newRecordStore("self"), ds.NewMapDatastore()
	for step := range 20000 {
		k := recordKey(r.IntN(20), r.IntN(20))
		switch r.IntN(5) {
		case 0, 1:
			v := []byte(fmt.Sprint(step))
			if err := errors.Join(s.Put(t.Context(), k, v), model.Put(t.Context(), k, v)); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := errors.Join(s.Delete(t.Context(), k), model.Delete(t.Context(), k)); err != nil {
				t.Fatal(err)
			}
		case 3:
			got, err := s.Get(t.Context(), k)
			want, wantErr := model.Get(t.Context(), k)
			if string(got) != string(want) || !errors.Is(err, wantErr) {
				t.Fatalf("seed %d: %s is %q, %v, want %q, %v", seed, k, got, err, want, wantErr)
			}
		case 4:
			prefix := []string{"/providers/", "/providers", k.Parent().String(), "", "/other"}[r.IntN(5)]
			q := dsq.Query{Prefix: prefix, KeysOnly: r.IntN(2) == 0}
			if got, want := entries(t, s, q), entries(t, model, q); !slices.Equal(got, want) {
				t.Fatalf("seed %d: under %q are %q, want %q", seed, prefix, got, want)
			}
		}
	}
	for _, e := range entries(t, s, dsq.Query{KeysOnly: true}) {
		if err := s.Delete(t.Context(), ds.NewKey(e[:len(e)-1])); err != nil {
			t.Fatal(err)
		}
	}
	if s.count != 0 || len(s.topics)+len(s.peers) != 0 {
		t.Errorf("seed %d: left over: %d records, %d topics, %d peers", seed, s.count, len(s.topics), len(s.peers))
	}
}

// TestRecordLimits has peers announce more than is kept.
func TestRecordLimits(t *testing.T) {
	const self = peer.ID("self")
	s := newRecordStore(self)
	s.most = recordLimits{all: 4000, peer: 2000, topic: 50}
	put := func(topic, by int) error { return s.Put(t.Context(), recordKey(topic, by), []byte("now")) }
	for by := range 2 * s.most.topic {
		if err := put(0, by); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(entries(t, s, dsq.Query{Prefix: "/providers/TOPIC0"})); n != s.most.topic {
		t.Errorf("%d records of one topic", n)
	}
	refused := 0
	for topic := range s.most.peer + 10 {
		if err := put(topic+1, 0); errors.Is(err, errTooMany) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if refused == 0 || s.peers["PEER0"].count > s.most.peer {
		t.Errorf("%d records of one peer, %d refused", s.peers["PEER0"].count, refused)
	}
	for topic := range s.most.all {
		if err := s.Put(t.Context(), ds.NewKey(fmt.Sprintf("/providers/MINE%d/%s", topic, s.self)), nil); err != nil {
			t.Fatal(err)
		}
	}
	if s.count != s.most.all {
		t.Errorf("%d records", s.count)
	}
	if s.peers["PEER0"].count >= s.most.peer {
		t.Error("who has most has lost nothing")
	}
	for _, k := range []string{"/", "/providers/TOPIC", "/providers/TOPIC/PEER/more", "/other/TOPIC/PEER"} {
		if err := s.Put(t.Context(), ds.NewKey(k), nil); err == nil {
			t.Errorf("%s was taken", k)
		}
	}
}
