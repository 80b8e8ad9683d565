package badger

import (
	"encoding/binary"
	"errors"
	"fmt"

	badgerdb "github.com/dgraph-io/badger/v4"

	"github.com/hypernode/hypernode/datastore"
)

// A transaction of Badger has a limit. A commit beyond it is written down in parts first, each a record of its own,
// then one more record says that all parts are there: from then on the commit holds, and it is applied part by part.
// Views opened meanwhile wait. A crash before that record leaves parts that are dropped when the store is opened, a
// crash after it leaves a commit that is applied then; applying twice does no harm.
//
// The keys begin with a byte that no other key begins with but the store's format.
var (
	partPrefix = []byte("/-/part/")
	partsEnd   = []byte("/-/part0")
	partsReady = []byte("/-/parts")
)

// partSize is the size of a part in bytes, as far as whole operations allow.
const partSize = 1 << 20

// inParts commits b.
func (e *engine) inParts(b *datastore.Batch) error {
	if err := e.writeParts(b.Ops); err != nil {
		return errors.Join(err, e.dropParts())
	}
	if err := e.set(partsReady, nil); err != nil {
		return fmt.Errorf("%w: %w", datastore.ErrStoreFailed, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.applyParts(); err != nil {
		e.broken = fmt.Errorf("%w: %w", datastore.ErrStoreFailed, err)
		return e.broken
	}
	return nil
}

// finishParts finishes or drops what a crash left. It cannot finish a commit for a read-only store.
func (e *engine) finishParts() error {
	ready, err := e.has(partsReady)
	switch {
	case err != nil:
		return err
	case ready && e.readOnly:
		return errors.New("the last commit is not finished, the store must be opened for writing first")
	case ready:
		return e.applyParts()
	case e.readOnly:
		return nil
	}
	return e.dropParts()
}

func (e *engine) has(key []byte) (bool, error) {
	err := e.db.View(func(txn *badgerdb.Txn) error {
		_, err := txn.Get(key)
		return err
	})
	if errors.Is(err, badgerdb.ErrKeyNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (e *engine) set(key, value []byte) error {
	return e.db.Update(func(txn *badgerdb.Txn) error { return txn.Set(key, value) })
}

// writeParts writes ops down.
func (e *engine) writeParts(ops []datastore.Op) error {
	var part []byte
	number := uint32(0)
	for i := range ops {
		part = appendOp(part, &ops[i])
		if len(part) < partSize && i < len(ops)-1 {
			continue
		}
		if err := e.set(binary.BigEndian.AppendUint32(partPrefix[:len(partPrefix):len(partPrefix)], number), part); err != nil {
			return err
		}
		part = nil // Badger may still hold the old one
		number++
	}
	return nil
}

// applyParts applies what is written down and removes it.
func (e *engine) applyParts() error {
	view := e.db.NewTransaction(false)
	defer view.Discard()
	w := writer{db: e.db}
	defer w.discard()
	for item := range items(view, partPrefix, partsEnd, false, true) {
		part, err := item.ValueCopy(nil)
		for len(part) > 0 && err == nil {
			var op datastore.Op
			if op, part, err = cutOp(part); err == nil {
				err = w.apply(&op)
			}
		}
		if err != nil {
			return err
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	if err := e.db.Update(func(txn *badgerdb.Txn) error { return txn.Delete(partsReady) }); err != nil {
		return err
	}
	return e.dropParts()
}

// dropParts removes parts that nothing needs.
func (e *engine) dropParts() error {
	w := writer{db: e.db}
	defer w.discard()
	if err := w.apply(&datastore.Op{Kind: datastore.OpDeleteRange, Key: partPrefix, End: partsEnd}); err != nil {
		return err
	}
	return w.flush()
}

// writer applies operations in as many transactions as it takes.
type writer struct {
	db  *badgerdb.DB
	txn *badgerdb.Txn
}

func (w *writer) apply(op *datastore.Op) error {
	if op.Kind != datastore.OpDeleteRange {
		return w.one(op)
	}
	if err := w.flush(); err != nil { // so that a view sees what was written
		return err
	}
	view := w.db.NewTransaction(false)
	defer view.Discard()
	for item := range items(view, op.Key, op.End, false, false) {
		if err := w.one(&datastore.Op{Kind: datastore.OpDelete, Key: item.KeyCopy(nil)}); err != nil {
			return err
		}
	}
	return nil
}

// one sets or deletes one key.
func (w *writer) one(op *datastore.Op) error {
	if w.txn == nil {
		w.txn = w.db.NewTransaction(true)
	}
	err := write(w.txn, op)
	if !errors.Is(err, badgerdb.ErrTxnTooBig) {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.txn = w.db.NewTransaction(true)
	return write(w.txn, op)
}

func (w *writer) flush() error {
	if w.txn == nil {
		return nil
	}
	txn := w.txn
	w.txn = nil
	return txn.Commit()
}

func (w *writer) discard() {
	if w.txn != nil {
		w.txn.Discard()
	}
}

// appendOp appends an operation: its kind, then key, value and end, each behind its length.
func appendOp(b []byte, op *datastore.Op) []byte {
	b = append(b, byte(op.Kind))
	for _, field := range [][]byte{op.Key, op.Value, op.End} {
		b = binary.AppendUvarint(b, uint64(len(field)))
		b = append(b, field...)
	}
	return b
}

var errPart = errors.New("badger: part of a commit is malformed")

// cutOp reads what appendOp appended and returns the rest.
func cutOp(b []byte) (op datastore.Op, rest []byte, err error) {
	if len(b) == 0 {
		return op, nil, errPart
	}
	op.Kind, b = datastore.OpKind(b[0]), b[1:]
	for _, field := range []*[]byte{&op.Key, &op.Value, &op.End} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return op, nil, errPart
		}
		*field, b = b[size:size+int(n)], b[size+int(n):]
	}
	return op, b, nil
}
