package netlab

import (
	"context"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// answers is what a stranger hears of each core that it asks for: the types of the messages.
type answers struct{ There, Absent, Other []uint64 }

// ask opens a core of which it knows no more than the discovery key, and one that nobody has, asks each for all there is,
// and tells what comes back within a second.
func ask(ctx context.Context, p part) error {
	victim, err := hint(p.Peer)
	if err != nil {
		return err
	}
	raw, err := hex.DecodeString(p.Key)
	if err != nil {
		return err
	}
	h, err := newHost()
	if err != nil {
		return err
	}
	defer h.Close()
	if err := h.Connect(ctx, victim); err != nil {
		return err
	}
	f, err := framed(ctx, h, victim.ID)
	if err != nil {
		return err
	}
	time.AfterFunc(time.Second, func() { f.Close() })
	for number, d := range [][32]byte{[32]byte(raw), stray()} {
		if err := f.WriteMessages(intrusion(uint64(number+1), d)...); err != nil {
			return err
		}
	}
	var heard answers
	for {
		frame, err := f.ReadMessage()
		if err != nil {
			break
		}
		for m, err := range mux.Messages(frame) {
			if err != nil {
				return err
			}
			heard.add(m)
		}
	}
	tell(heard)
	return nil
}

// intrusion opens a channel and asks for head, block and holdings at once.
func intrusion(number uint64, d [32]byte) [][]byte {
	say := func(typ wire.Type, payload []byte) []byte {
		return mux.AppendMessage(nil, mux.Message{Channel: number, Type: uint64(typ), Payload: payload})
	}
	head := merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 1}, Manifest: true}
	block := merkle.Request{ID: 2, Block: &merkle.BlockRequest{}}
	return [][]byte{
		mux.AppendMessage(nil, opening(number, d)),
		say(wire.TypeSync, wire.Sync{CanUpgrade: true, Uploading: true, Downloading: true}.Append(nil)),
		say(wire.TypeRequest, merkle.AppendRequest(nil, &head)),
		say(wire.TypeRequest, merkle.AppendRequest(nil, &block)),
		say(wire.TypeWant, wire.Want{Length: 1 << 21}.Append(nil)),
	}
}

// add notes a message: a control message by the channel that it is about.
func (a *answers) add(m mux.Message) {
	about := m.Channel
	if about == 0 && m.Type == controlReject {
		about = compact.NewDecoder(m.Payload).Uint()
	}
	switch about {
	case 1:
		a.There = append(a.There, m.Type)
	case 2:
		a.Absent = append(a.Absent, m.Type)
	default:
		a.Other = append(a.Other, m.Type)
	}
}

// TestStranger has a peer on another machine that knows a drive's discovery key, which is no secret, but not its key. It gets
// nothing, and the same answer as for a core that is not there.
func TestStranger(t *testing.T) {
	t.Parallel()
	l := newLAN(t)
	a := l.machine().share(files(t, 5, 1000), onLAN())
	d := discoveryKey(t, a.Key)
	p := l.machine().role("stranger", part{Peer: a.Addresses[0], Key: hex.EncodeToString(d[:])}, false)
	var heard answers
	p.line(&heard)
	p.ok()
	if want := []uint64{controlReject}; !slices.Equal(heard.There, want) || !slices.Equal(heard.Absent, want) || len(heard.Other) > 0 {
		t.Errorf("a stranger heard %v of a core that is there, %v of one that is not, and %v", heard.There, heard.Absent, heard.Other)
	}
}
