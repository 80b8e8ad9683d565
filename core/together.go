package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/datastore"
)

// ErrMoved tells that a log has not the length that an append was made for.
var ErrMoved = errors.New("core: the log is not where the append expected its end")

// Appending is blocks for the end of one log.
type Appending struct {
	Core   *Core
	Blocks [][]byte
	// At is the length that the log must have, which is the index of the first block.
	At uint64
}

// AppendTogether appends to several logs of one store in one commit: after a crash all of it is there, or nothing. It is for
// logs whose blocks speak of each other, such as the files of a drive and its directory. The heads get visible in the order
// of the appends: what is spoken of comes before what speaks of it.
//
// It fails as [Core.Append] does, with ErrMoved when a log has another length than expected, and when two of the logs
// are one or belong to different stores; then nothing was appended. ctx is looked at before the first step only.
func AppendTogether(ctx context.Context, appends ...Appending) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	list := slices.DeleteFunc(slices.Clone(appends), func(a Appending) bool { return len(a.Blocks) == 0 })
	if len(list) == 0 {
		return nil
	}
	// Every caller locks in the same order.
	inOrder := slices.SortedFunc(slices.Values(list), func(a, b Appending) int { return cmp.Compare(a.Core.log.id, b.Core.log.id) })
	for i, a := range inOrder[1:] {
		if a.Core.log == inOrder[i].Core.log {
			return fmt.Errorf("core: %s was given twice", a.Core.log.key)
		}
		if a.Core.log.db != inOrder[i].Core.log.db {
			return errors.New("core: logs of different stores have no common commit")
		}
	}
	for _, a := range inOrder {
		a.Core.log.write.Lock()
		defer a.Core.log.write.Unlock()
	}
	prepared := make([]*appending, 0, len(list))
	for _, a := range list {
		p, err := a.prepare()
		if err != nil {
			return fmt.Errorf("appending to %s: %w", a.Core.log.key, err)
		}
		prepared = append(prepared, p)
	}
	return commitTogether(prepared)
}

// prepare encrypts, hashes and signs. The caller holds write of the log.
func (a Appending) prepare() (*appending, error) {
	call, err := a.Core.newAppend(a.Blocks)
	if err != nil {
		return nil, err
	}
	l := a.Core.log
	p, err := l.prepareAppend([]*appendCall{call})
	if err == nil && p == nil {
		err = call.err // the only call was refused
	}
	if err != nil {
		return nil, err
	}
	if p.from.length != a.At {
		return nil, fmt.Errorf("%w: %d, not %d", ErrMoved, p.from.length, a.At)
	}
	return p, nil
}

// commitTogether stores and publishes what was prepared.
func commitTogether(list []*appending) error {
	err := list[0].log.db.Update(context.Background(), func(tx *datastore.Tx) error {
		for _, a := range list {
			a.log.publishWith(tx, a.publication())
			if err := a.write(tx); err != nil {
				return err
			}
		}
		return nil
	})
	for _, a := range list {
		if a.log.edge = a.edge; err != nil {
			a.log.edge = nil
		}
	}
	if err != nil {
		return fmt.Errorf("core: appending together: %w", err)
	}
	return nil
}
