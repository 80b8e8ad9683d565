package replicate

import (
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

func TestRequests(t *testing.T) {
	var b backlog
	b.init()
	q := requests{backlog: &b}
	ask := func(id, block, priority uint64) *merkle.Request {
		return &merkle.Request{ID: id, Priority: priority, Block: &merkle.BlockRequest{Index: block}}
	}
	q.put([]*merkle.Request{ask(1, 10, 0), ask(2, 20, 0), ask(3, 30, 1), ask(4, 40, 0)})
	q.put([]*merkle.Request{ask(2, 21, 0)}) // in place of the one before
	q.cancel(4)
	if got := q.take(true, 9, 9); len(got) != 1 || got[0].Block.Index != 30 {
		t.Errorf("urgent: %v", got)
	}
	if got := q.take(false, 9, 1); len(got) != 1 || got[0].Block.Index != 10 {
		t.Errorf("one block: %v", got)
	}
	if got := q.take(false, 9, 9); len(got) != 1 || got[0].Block.Index != 21 || q.count() != 0 {
		t.Errorf("the rest: %v", got)
	}
	if b.count != 0 {
		t.Errorf("%d requests are counted that are gone", b.count)
	}
	q.put([]*merkle.Request{ask(5, 50, 0)})
	q.close()
	if b.close(); b.count != 0 || b.enter(1) {
		t.Error("open after the end")
	}
}
