package replicate

import (
	"testing"

	"github.com/hypernode/hypernode/core/corestore"
)

func TestSeek(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 1000)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	mustReach(t, r, 1000)
	for _, at := range []uint64{0, 1, 15, 9000, 16000, w.Head().ByteLength - 1, w.Head().ByteLength} {
		i, within0, err := w.Seek(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		j, within1, err := r.Seek(within(t), at)
		if err != nil || i != j || within0 != within1 {
			t.Errorf("byte %d is in block %d at %d (%v), want block %d at %d", at, j, within1, err, i, within0)
		}
	}
	if st := b.set.Core(w.DiscoveryKey()).Stats(); st.Refused > 0 {
		t.Errorf("%+v", st)
	}
}
