package datastore

// Set sets the record k to v. Both are copied.
func (tx *Tx) Set(k Key, v []byte) {
	if tx.writes(k.check()) {
		tx.set(k, v)
	}
}

// set writes a record of a caller's key or of one of the store's own.
func (tx *Tx) set(k Key, v []byte) {
	p := &tx.group.pending
	p.add(Op{Kind: OpSet, Key: k, Value: seal(p.arena.alloc(len(v)+sealSize), k, v)})
}

// Delete removes the record k, if it is there.
func (tx *Tx) Delete(k Key) {
	if tx.writes(k.check()) {
		tx.group.pending.add(Op{Kind: OpDelete, Key: k})
	}
}

// DeleteRange removes the records with lo <= key < hi, with bounds as Scan has them.
func (tx *Tx) DeleteRange(lo, hi Key) {
	if tx.writes(checkRange(lo, hi)) {
		tx.group.pending.add(Op{Kind: OpDeleteRange, Key: lo, End: hi})
	}
}

// SetBlock sets the block k to data, which must stay as it is until Update returns. No reference is kept after that.
func (tx *Tx) SetBlock(k Key, data []byte) {
	switch {
	case !tx.writes(k.check()):
	case tx.db.blocks == nil:
		tx.set(blockKey(k), data)
	default:
		tx.group.pending.add(Op{Kind: OpSetBlock, Key: k, Value: data, Sum: Checksum(k, data)})
	}
}

// DeleteBlocks removes the blocks with lo <= key < hi and gives their space back, with bounds as Scan has them.
func (tx *Tx) DeleteBlocks(lo, hi Key) {
	switch {
	case !tx.writes(checkRange(lo, hi)):
	case tx.db.blocks == nil:
		tx.group.pending.add(Op{Kind: OpDeleteRange, Key: blockKey(lo), End: blockKey(hi)})
	default:
		tx.group.pending.add(Op{Kind: OpDeleteBlocks, Key: lo, End: hi})
	}
}

// Lazy says that this update need not be on stable storage when Update returns, since it can be had again. It is
// ordered all the same: after a crash it is there if any later commit is. It is on stable storage after SyncEvery or
// SyncBytes, with the next commit that is durable, after Sync, or at Close. Updates that share a commit with one that
// is durable are durable too.
func (tx *Tx) Lazy() { tx.lazy = true }

// OnCommit has fn called when the commit is visible, in the order of the commits, before Update returns. It is not
// called when the update fails. fn must not block and must not call Update, Sync or Close.
func (tx *Tx) OnCommit(fn func()) { tx.onCommit = append(tx.onCommit, fn) }

// OnSynced has fn called when the commit is on stable storage, in the order of the commits. For a durable commit that
// is before Update returns. For another one a sync is started at once, or right behind the one that is running. When
// the sync fails, or the update, fn is not called. fn must not block and must not call Update, Sync or Close.
func (tx *Tx) OnSynced(fn func()) { tx.onSynced = append(tx.onSynced, fn) }

// writes tells whether the tx can write and keeps the first reason why not.
func (tx *Tx) writes(err error) bool {
	switch {
	case tx.group == nil:
		err = ErrReadOnly
	case tx.ended:
		return false
	}
	if err != nil && tx.err == nil {
		tx.err = err
	}
	return err == nil
}
