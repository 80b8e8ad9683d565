package discovery

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	ds "github.com/ipfs/go-datastore"
	dsq "github.com/ipfs/go-datastore/query"
	"github.com/libp2p/go-libp2p-kad-dht/records"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Limits on the records that a node keeps for others, who say what they want: which peers provide which topics. A record takes
// about 150 bytes.
const (
	maxRecords      = 1 << 18
	maxPeerRecords  = maxRecords / 2 // that name one other peer
	maxTopicRecords = 1 << 10        // of one topic
)

// recordLimits are these limits.
type recordLimits struct{ all, peer, topic int }

// errTooMany tells that a peer announces more than one may.
var errTooMany = errors.New("discovery: too many records of one peer")

// recordStore is a datastore for provider records, whose keys are /providers/TOPIC/PEER. It finds those of a topic without looking
// at the others. When it is full a new record takes the place of an old one, whichever: who announces much loses much.
type recordStore struct {
	self string // this peer, which may announce as much as it likes
	most recordLimits

	mu     sync.RWMutex // guards what follows
	topics map[string][]note
	peers  map[string]*announcer
	count  int
}

// note is a record of a topic.
type note struct {
	by    *announcer
	value string // when it was made
}

// announcer is a peer that is named by records.
type announcer struct {
	name  string
	count int
}

func newRecordStore(self peer.ID) *recordStore {
	return &recordStore{
		most:   recordLimits{maxRecords, maxPeerRecords, maxTopicRecords},
		self:   base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(self)),
		topics: map[string][]note{}, peers: map[string]*announcer{},
	}
}

// split parses a key: the topic, with the prefix of all, and the peer.
func split(k ds.Key) (topic, by string, ok bool) {
	text := k.String()
	i := strings.LastIndexByte(text, '/')
	if !strings.HasPrefix(text, records.ProvidersKeyPrefix) || strings.Count(text, "/") != 3 {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}

func (s *recordStore) findLocked(topic, by string) int {
	return slices.IndexFunc(s.topics[topic], func(n note) bool { return n.by.name == by })
}

// Put implements ds.Write.
func (s *recordStore) Put(_ context.Context, k ds.Key, value []byte) error {
	topic, by, ok := split(k)
	if !ok {
		return fmt.Errorf("discovery: %s is no key of a record", k)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.findLocked(topic, by); i >= 0 {
		s.topics[topic][i].value = string(value)
		return nil
	}
	p := s.peers[by]
	if p != nil && p.count >= s.most.peer && by != s.self {
		return errTooMany
	}
	switch {
	case len(s.topics[topic]) >= s.most.topic:
		s.dropLocked(topic, 0)
	case s.count >= s.most.all:
		for other := range s.topics { // in no order
			s.dropLocked(other, 0)
			break
		}
	}
	if p = s.peers[by]; p == nil {
		p = &announcer{name: by}
		s.peers[by] = p
	}
	p.count++
	s.count++
	s.topics[topic] = append(s.topics[topic], note{p, string(value)})
	return nil
}

func (s *recordStore) dropLocked(topic string, i int) {
	list := s.topics[topic]
	p := list[i].by
	if p.count--; p.count == 0 {
		delete(s.peers, p.name)
	}
	s.count--
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(s.topics, topic)
		return
	}
	s.topics[topic] = list
}

// Delete implements ds.Write.
func (s *recordStore) Delete(_ context.Context, k ds.Key) error {
	topic, by, ok := split(k)
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.findLocked(topic, by); i >= 0 {
		s.dropLocked(topic, i)
	}
	return nil
}

// Get implements ds.Read.
func (s *recordStore) Get(_ context.Context, k ds.Key) ([]byte, error) {
	topic, by, _ := split(k)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i := s.findLocked(topic, by); i >= 0 {
		return []byte(s.topics[topic][i].value), nil
	}
	return nil, ds.ErrNotFound
}

// Has implements ds.Read.
func (s *recordStore) Has(ctx context.Context, k ds.Key) (bool, error) {
	_, err := s.Get(ctx, k)
	return err == nil, nil
}

// GetSize implements ds.Read.
func (s *recordStore) GetSize(ctx context.Context, k ds.Key) (int, error) {
	value, err := s.Get(ctx, k)
	if err != nil {
		return -1, err
	}
	return len(value), nil
}

// Query implements ds.Read: for the records of one topic, or for all.
func (s *recordStore) Query(_ context.Context, q dsq.Query) (dsq.Results, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []dsq.Entry
	add := func(topic string) {
		for _, n := range s.topics[topic] {
			e := dsq.Entry{Key: topic + "/" + n.by.name, Size: len(n.value)}
			if !q.KeysOnly {
				e.Value = []byte(n.value)
			}
			list = append(list, e)
		}
	}
	if prefix := ds.NewKey(q.Prefix).String(); strings.HasPrefix(prefix, records.ProvidersKeyPrefix) {
		add(prefix)
	} else {
		for topic := range s.topics {
			add(topic)
		}
	}
	return dsq.NaiveQueryApply(q, dsq.ResultsWithEntries(q, list)), nil
}

// Batch implements ds.Batching.
func (s *recordStore) Batch(context.Context) (ds.Batch, error) { return ds.NewBasicBatch(s), nil }

// Sync implements ds.Datastore: nothing outlives the process.
func (s *recordStore) Sync(context.Context, ds.Key) error { return nil }

// Close implements ds.Datastore.
func (s *recordStore) Close() error { return nil }
