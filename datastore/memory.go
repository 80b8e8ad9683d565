package datastore

import (
	"bytes"
	"iter"
	"sync"
)

// NewMemory returns a store that lives in memory only, secrets included: for tests, and for nodes that keep nothing.
func NewMemory(o Options) *DB { return NewDB(newMemory(), o) }

// memory is an engine over a tree whose views are free: a reader takes the root, and from then on the writer copies
// what it changes.
type memory struct {
	mu   sync.Mutex // guards tree
	tree tree

	secrets memorySecrets
}

func newMemory() *memory { return &memory{} }

// Reader implements Engine.
func (m *memory) Reader() (Reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return memoryReader{m.tree.snapshot()}, nil
}

// Commit implements Engine.
func (m *memory) Commit(b *Batch, durable bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range b.Ops {
		switch op := &b.Ops[i]; op.Kind {
		case OpSet:
			m.tree.set(bytes.Clone(op.Key), bytes.Clone(op.Value))
		case OpDelete:
			m.tree.delete(op.Key)
		case OpDeleteRange:
			m.tree.deleteRange(op.Key, op.End)
		}
	}
	return nil
}

// Sync implements Engine.
func (m *memory) Sync() error { return nil }

// Close implements Engine.
func (m *memory) Close() error { return nil }

// Secrets implements SecretKeeper.
func (m *memory) Secrets() Secrets { return &m.secrets }

type memoryReader struct{ root *node }

// Get implements Reader.
func (r memoryReader) Get(key []byte) ([]byte, error) {
	if n := r.root.find(key); n != nil {
		return bytes.Clone(n.value), nil
	}
	return nil, ErrNotFound
}

// Scan implements Reader.
func (r memoryReader) Scan(lo, hi []byte, reverse bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		emit := func(n *node) bool { return yield(Record{n.key, n.value}, nil) }
		if reverse {
			r.root.descend(lo, hi, emit)
		} else {
			r.root.ascend(lo, hi, emit)
		}
	}
}

// Close implements Reader.
func (r memoryReader) Close() error { return nil }

// memorySecrets keeps secrets in memory.
type memorySecrets struct {
	mu sync.Mutex // guards m
	m  map[string][]byte
}

// Load implements Secrets.
func (s *memorySecrets) Load(name string) ([]byte, error) {
	if err := checkSecretName(name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.m[name]
	if !ok {
		return nil, ErrNotFound
	}
	return bytes.Clone(b), nil
}

// Store implements Secrets.
func (s *memorySecrets) Store(name string, secret []byte) error {
	if err := checkSecretName(name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = make(map[string][]byte)
	}
	s.m[name] = append([]byte{}, secret...)
	return nil
}

// Remove implements Secrets.
func (s *memorySecrets) Remove(name string) error {
	if err := checkSecretName(name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.m[name])
	delete(s.m, name)
	return nil
}
