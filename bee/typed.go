package bee

import (
	"context"
	"iter"
)

// Typed is a bee whose keys and values are of two types.
type Typed[K, V any] struct {
	// Bee is the bee itself.
	Bee    *Bee
	keys   Codec[K]
	values Codec[V]
}

// Item is an entry of a Typed.
type Item[K, V any] struct {
	Seq   uint64
	Key   K
	Value V
}

// NewTyped gives a bee types.
func NewTyped[K, V any](b *Bee, keys Codec[K], values Codec[V]) *Typed[K, V] {
	return &Typed[K, V]{Bee: b, keys: keys, values: values}
}

// Key returns the bytes of a key, for the bounds of a Range.
func (t *Typed[K, V]) Key(k K) ([]byte, error) {
	b, err := t.keys.Encode(k)
	if b == nil && err == nil {
		b = []byte{}
	}
	return b, err
}

// Item decodes an entry.
func (t *Typed[K, V]) Item(e Entry) (x Item[K, V], err error) {
	x.Seq = e.Seq
	if x.Key, err = t.keys.Decode(e.Key); err != nil {
		return x, err
	}
	x.Value, err = t.values.Decode(e.Value)
	return x, err
}

// Get is [Bee.Get].
func (t *Typed[K, V]) Get(ctx context.Context, k K) (Item[K, V], error) {
	return t.get(k, func(key []byte) (Entry, error) { return t.Bee.Get(ctx, key) })
}

func (t *Typed[K, V]) get(k K, get func(key []byte) (Entry, error)) (x Item[K, V], err error) {
	key, err := t.Key(k)
	if err != nil {
		return x, err
	}
	e, err := get(key)
	if err != nil {
		return x, err
	}
	return t.Item(e)
}

// Put is [Bee.Put].
func (t *Typed[K, V]) Put(ctx context.Context, k K, v V) error {
	return t.Update(ctx, func(tx *TypedBatch[K, V]) error { return tx.Put(k, v) })
}

// Delete is [Bee.Delete].
func (t *Typed[K, V]) Delete(ctx context.Context, k K) error {
	return t.Update(ctx, func(tx *TypedBatch[K, V]) error { return tx.Delete(k) })
}

// Range is [Bee.Range].
func (t *Typed[K, V]) Range(ctx context.Context, r Range) iter.Seq2[Item[K, V], error] {
	return t.items(t.Bee.Range(ctx, r))
}

func (t *Typed[K, V]) items(entries iter.Seq2[Entry, error]) iter.Seq2[Item[K, V], error] {
	return func(yield func(Item[K, V], error) bool) {
		for e, err := range entries {
			var x Item[K, V]
			if err == nil {
				x, err = t.Item(e)
			}
			if !yield(x, err) || err != nil {
				return
			}
		}
	}
}

// Update is [Bee.Update].
func (t *Typed[K, V]) Update(ctx context.Context, fn func(tx *TypedBatch[K, V]) error) error {
	return t.Bee.Update(ctx, func(tx *Batch) error { return fn(&TypedBatch[K, V]{Batch: tx, t: t}) })
}

// TypedBatch is the batch of an Update of a Typed.
type TypedBatch[K, V any] struct {
	// Batch is the batch itself.
	Batch *Batch
	t     *Typed[K, V]
}

// Get is [Batch.Get].
func (x *TypedBatch[K, V]) Get(k K) (Item[K, V], error) { return x.t.get(k, x.Batch.Get) }

// Put is [Batch.Put].
func (x *TypedBatch[K, V]) Put(k K, v V) error {
	key, err := x.t.Key(k)
	if err != nil {
		return err
	}
	value, err := x.t.values.Encode(v)
	if err != nil {
		return err
	}
	return x.Batch.Put(key, value)
}

// Delete is [Batch.Delete].
func (x *TypedBatch[K, V]) Delete(k K) error {
	key, err := x.t.Key(k)
	if err != nil {
		return err
	}
	return x.Batch.Delete(key)
}

// Range is [Batch.Range].
func (x *TypedBatch[K, V]) Range(r Range) iter.Seq2[Item[K, V], error] {
	return x.t.items(x.Batch.Range(r))
}
