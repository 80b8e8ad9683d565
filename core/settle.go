package core

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/datastore"
)

// settle brings options and record together: the manifest, the key pair, the secret; and writes what is new. After an
// error the log is as it was. The caller holds write, or has the log for itself.
func (l *log) settle(ctx context.Context, o *Options, m *manifest.Manifest) (err error) {
	before := l.rec
	rec := *before
	l.rec = &rec
	defer func() {
		if err != nil {
			l.rec = before
		}
	}()
	if err := l.settleAuthority(o, m); err != nil {
		return err
	}
	if err := l.settlePair(o); err != nil {
		return err
	}
	if !o.ReadOnly && !o.Encryption.IsZero() && (!o.Pair.IsZero() || o.Sign != nil) {
		rec.Encrypted = true
	}
	fresh, adopted := rec.id == 0, rec.adopt(o)
	if !fresh && (o.ReadOnly || !adopted && !rec.differs(before)) {
		return nil
	}
	return l.db.Update(ctx, func(tx *datastore.Tx) error {
		if (fresh || adopted) && o.OnCreate != nil {
			o.OnCreate(tx)
		}
		return l.writeRecord(tx)
	})
}

// adopt takes over the origin that the opener of a core gives which was opened by its key before.
func (r *Record) adopt(o *Options) bool {
	if r.id == 0 || o.ReadOnly || len(r.Origin) > 0 || len(o.Origin) == 0 {
		return false
	}
	r.Origin = o.Origin
	return true
}

// differs tells whether a record has learned something.
func (r *Record) differs(before *Record) bool {
	return r.Compat != before.Compat || len(r.Manifest) != len(before.Manifest) ||
		r.secret != before.secret || r.Encrypted != before.Encrypted
}

// settleAuthority makes the authority of the record's manifest, or of the one given, or of the one that a given pair
// alone signs.
func (l *log) settleAuthority(o *Options, m *manifest.Manifest) error {
	if l.auth != nil {
		return nil
	}
	if single := manifest.Single(o.Pair.Public); m == nil && !o.Pair.IsZero() && single.Key() == l.key {
		m = single
	}
	if l.rec.Manifest == nil && !l.rec.Compat && m != nil {
		if l.rec.Compat = len(m.Signers) == 1 && l.key == keys.Key(m.Signers[0].PublicKey); !l.rec.Compat {
			l.rec.Manifest = m.Encode()
		}
	}
	a, err := l.rec.authority(l.legacy)
	if err != nil {
		return fmt.Errorf("core: opening %s: its manifest: %w", l.key, err)
	}
	l.auth = a
	l.mu.Lock()
	l.info = recordInfo{manifest: a, frozen: l.rec.Frozen}
	l.mu.Unlock()
	return nil
}

// authority makes the authority of a record's manifest, nil when it is not known.
func (r *Record) authority(legacy bool) (*manifest.Authority, error) {
	var m *manifest.Manifest
	switch {
	case r.Compat:
	case r.Manifest == nil:
		return nil, nil
	default:
		var err error
		if m, err = manifest.Decode(r.Manifest); err != nil {
			return nil, err
		}
	}
	return manifest.NewAuthority(r.Key, m, manifest.Options{Legacy: legacy})
}

// settlePair finds the key pair, or stores it.
func (l *log) settlePair(o *Options) error {
	switch {
	case o.Pair.IsZero() && l.rec.secret && !o.ReadOnly && o.Sign == nil && l.db.Secrets() != nil:
		if err := l.loadPair(o); err != nil {
			return err
		}
	case o.Pair.IsZero():
		return nil
	}
	if l.auth == nil {
		return fmt.Errorf("%w: the manifest of %s is not known", ErrOptions, l.key)
	}
	if _, ok := l.auth.Manifest().Signer(o.Pair.Public); !ok {
		return fmt.Errorf("%w: the key pair is not a signer of %s", ErrOptions, l.key)
	}
	if !o.Derived && !o.ReadOnly && !l.rec.secret {
		if err := l.storePair(o.Pair); err != nil {
			return err
		}
	}
	if !o.ReadOnly {
		l.mu.Lock()
		l.pair = o.Pair
		l.mu.Unlock()
	}
	return nil
}

func (l *log) loadPair(o *Options) error {
	seed, err := l.db.Secrets().Load(secretName(l.dkey))
	if err != nil {
		return fmt.Errorf("core: the secret key of %s: %w", l.key, err)
	}
	if len(seed) != len(keys.Seed{}) {
		return fmt.Errorf("%w: the secret key of %s has %d bytes", ErrCorrupt, l.key, len(seed))
	}
	o.Pair = keys.PairFromSeed(keys.Seed(seed))
	return nil
}

func (l *log) storePair(p keys.Pair) error {
	secrets := l.db.Secrets()
	if secrets == nil {
		return fmt.Errorf("%w: open %s with a pair that can be derived, or give the store secrets", ErrNoSecrets, l.key)
	}
	seed := p.Seed()
	if err := secrets.Store(secretName(l.dkey), seed[:]); err != nil {
		return fmt.Errorf("core: keeping the secret key of %s: %w", l.key, err)
	}
	l.rec.secret = true
	return nil
}

// writeRecord puts the record, numbering a new core.
func (l *log) writeRecord(tx *datastore.Tx) error {
	if l.rec.id == 0 {
		n, err := nextNumber(tx)
		if err != nil {
			return fmt.Errorf("core: numbering %s: %w", l.key, err)
		}
		tx.Set(counterKey(), binary.LittleEndian.AppendUint64(nil, n))
		l.rec.id, l.id = n, n
		if !l.rec.secret {
			tx.Lazy() // nothing that cannot be made again
		}
	}
	tx.Set(recordKey(l.dkey), l.rec.encode())
	return nil
}

// nextNumber returns a number that no core has or had. When the counter cannot be read, the cores tell.
func nextNumber(tx *datastore.Tx) (uint64, error) {
	last, err := tx.Get(counterKey())
	switch {
	case errors.Is(err, datastore.ErrNotFound):
		return 1, nil
	case err == nil && len(last) == 8:
		return binary.LittleEndian.Uint64(last) + 1, nil
	case err != nil && !errors.Is(err, datastore.ErrCorrupt):
		return 0, err
	}
	n, err := greatestNumber(tx)
	return n + 1, err
}

// greatestNumber looks at all cores and all notes of deleted ones.
func greatestNumber(tx *datastore.Tx) (n uint64, err error) {
	cores := datastore.Group(groupCore).Item()
	for rec, err := range tx.Scan(cores, cores.End(), false) {
		if err != nil {
			return 0, asCorrupt(err)
		}
		r, err := decodeRecord(rec.Value)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		n = max(n, r.id)
	}
	notes := datastore.Group(groupDeleted).Item()
	for rec, err := range tx.Scan(notes, notes.End(), false) {
		if rec.Key == nil {
			return 0, err
		}
		if id, _, ok := datastore.ParseUint(bytes.TrimPrefix(rec.Key, notes)); ok {
			n = max(n, id)
		}
	}
	return n, nil
}
