package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/datastore"
)

// MaxUserData is the greatest size of a name plus its value among a core's user data, in bytes.
const MaxUserData = 1 << 20

// UserData returns a value that was set on this node, or nil. It is never sent to a peer.
func (c *Core) UserData(ctx context.Context, name string) (value []byte, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	err = c.log.db.View(ctx, func(tx *datastore.Tx) error {
		value, err = tx.Get(userKey(c.log.id, name))
		return err
	})
	if errors.Is(err, datastore.ErrNotFound) {
		return nil, nil
	}
	return value, asCorrupt(err)
}

// SetUserData keeps a value beside the core, on this node only; nil removes it.
func (c *Core) SetUserData(ctx context.Context, name string, value []byte) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.readOnly {
		return ErrNotWritable
	}
	if len(name)+len(value) > MaxUserData {
		return fmt.Errorf("%w: user data of %d bytes", ErrBlockSize, len(name)+len(value))
	}
	c.log.write.Lock() // so that a core that is being deleted gets no more records
	defer c.log.write.Unlock()
	if err := c.log.alive(); err != nil {
		return err
	}
	return c.log.db.Update(ctx, func(tx *datastore.Tx) error {
		if value == nil {
			tx.Delete(userKey(c.log.id, name))
		} else {
			tx.Set(userKey(c.log.id, name), value)
		}
		return nil
	})
}
