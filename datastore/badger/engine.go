package badger

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"

	badgerdb "github.com/dgraph-io/badger/v4"

	"github.com/hypernode/hypernode/datastore"
)

// engine is a datastore.Engine over Badger.
type engine struct {
	db       *badgerdb.DB
	dir      string
	synced   bool // Badger syncs each commit
	readOnly bool

	mu     sync.RWMutex // held for writing while a commit is applied in parts; guards broken
	broken error        // such a commit was left in the middle
}

// Reader implements datastore.Engine.
func (e *engine) Reader() (datastore.Reader, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.broken != nil {
		return nil, e.broken
	}
	return reader{e.db.NewTransaction(false)}, nil
}

// Commit implements datastore.Engine: one transaction, or several with a note of them when one cannot hold it all.
func (e *engine) Commit(b *datastore.Batch, durable bool) error {
	for i := range b.Ops {
		if n := len(b.Ops[i].Value); n > maxValue {
			return fmt.Errorf("%w: a value of %d bytes, at most %d fit", datastore.ErrTooLarge, n, maxValue)
		}
	}
	err := e.once(b)
	if errors.Is(err, badgerdb.ErrTxnTooBig) {
		err = e.inParts(b)
	}
	if err == nil && durable && !e.synced {
		err = e.Sync()
	}
	return err
}

// once commits b in one transaction.
func (e *engine) once(b *datastore.Batch) error {
	txn := e.db.NewTransaction(true)
	defer txn.Discard()
	for i := range b.Ops {
		if err := write(txn, &b.Ops[i]); err != nil {
			return err
		}
	}
	return txn.Commit()
}

func write(txn *badgerdb.Txn, op *datastore.Op) error {
	switch op.Kind {
	case datastore.OpSet:
		return txn.Set(op.Key, op.Value)
	case datastore.OpDelete:
		return txn.Delete(op.Key)
	case datastore.OpDeleteRange:
		for _, k := range keys(txn, op.Key, op.End) {
			if err := txn.Delete(k); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("badger: operation of kind %d", op.Kind)
}

// Sync implements datastore.Engine. Badger syncs the table in memory that is being written; those that wait to be
// written out are synced here too.
func (e *engine) Sync() error {
	if e.synced || e.readOnly {
		return nil
	}
	if err := e.db.Sync(); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(globSafe(e.dir), "*.mem"))
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := syncFile(name); err != nil {
			return err
		}
	}
	return nil
}

// globSafe quotes what has a meaning in a pattern.
func globSafe(dir string) string {
	var quoted []byte
	for _, c := range []byte(dir) {
		if c == '*' || c == '?' || c == '[' || c == '\\' && filepath.Separator != '\\' {
			quoted = append(quoted, '\\')
		}
		quoted = append(quoted, c)
	}
	return string(quoted)
}

// syncFile syncs a file, unless it has been written out and removed meanwhile.
func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close implements datastore.Engine.
func (e *engine) Close() error { return e.db.Close() }

// Compact implements datastore.Compacter. Badger cannot look at a range only: it goes through the whole value log.
func (e *engine) Compact(lo, hi []byte) error {
	if err := e.db.Flatten(1); err != nil {
		return err
	}
	for {
		err := e.db.RunValueLogGC(0.5)
		if errors.Is(err, badgerdb.ErrNoRewrite) || errors.Is(err, badgerdb.ErrRejected) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Secrets implements datastore.SecretKeeper.
func (e *engine) Secrets() datastore.Secrets {
	return datastore.FileSecrets(filepath.Join(e.dir, secretsFolder))
}

type reader struct{ txn *badgerdb.Txn }

// Get implements datastore.Reader.
func (r reader) Get(key []byte) ([]byte, error) {
	item, err := r.txn.Get(key)
	if errors.Is(err, badgerdb.ErrKeyNotFound) {
		return nil, datastore.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return item.ValueCopy(nil)
}

// Scan implements datastore.Reader.
func (r reader) Scan(lo, hi []byte, reverse bool) iter.Seq2[datastore.Record, error] {
	return func(yield func(datastore.Record, error) bool) {
		for item := range items(r.txn, lo, hi, reverse, true) {
			v, err := item.ValueCopy(nil)
			if !yield(datastore.Record{Key: item.Key(), Value: v}, err) || err != nil {
				return
			}
		}
	}
}

// Close implements datastore.Reader.
func (r reader) Close() error {
	r.txn.Discard()
	return nil
}

// keys returns copies of the keys in a range, those that txn has written included.
func keys(txn *badgerdb.Txn, lo, hi []byte) (all [][]byte) {
	for item := range items(txn, lo, hi, false, false) {
		all = append(all, item.KeyCopy(nil))
	}
	return all
}

// items yields the items with lo <= key < hi. An item is valid until the next one.
func items(txn *badgerdb.Txn, lo, hi []byte, reverse, values bool) iter.Seq[*badgerdb.Item] {
	return func(yield func(*badgerdb.Item) bool) {
		o := badgerdb.DefaultIteratorOptions
		o.Reverse, o.PrefetchValues, o.PrefetchSize = reverse, values, 16
		it := txn.NewIterator(o)
		defer it.Close()
		if reverse {
			it.Seek(hi)
		} else {
			it.Seek(lo)
		}
		for ; it.Valid(); it.Next() {
			k := it.Item().Key()
			switch below, above := string(k) < string(lo), string(k) >= string(hi); {
			case below && !reverse, above && reverse: // only hi itself, in reverse
				continue
			case below || above:
				return
			}
			if !yield(it.Item()) {
				return
			}
		}
	}
}
